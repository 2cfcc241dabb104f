"""What operators read in the admin is translated: names alone, which the database does not hold."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0004_korean_names'),
        ('members', '0015_leaving_identity'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='block',
            options={'verbose_name': 'block', 'verbose_name_plural': 'blocks'},
        ),
        migrations.AlterModelOptions(
            name='consent',
            options={'verbose_name': 'consent', 'verbose_name_plural': 'consents'},
        ),
        migrations.AlterModelOptions(
            name='consentnotice',
            options={'verbose_name': 'consent notice', 'verbose_name_plural': 'consent notices'},
        ),
        migrations.AlterModelOptions(
            name='devicesession',
            options={'verbose_name': 'device session', 'verbose_name_plural': 'device sessions'},
        ),
        migrations.AlterModelOptions(
            name='export',
            options={'verbose_name': 'export', 'verbose_name_plural': 'exports'},
        ),
        migrations.AlterModelOptions(
            name='follow',
            options={'verbose_name': 'follow', 'verbose_name_plural': 'follows'},
        ),
        migrations.AlterModelOptions(
            name='leaving',
            options={'verbose_name': 'leaving', 'verbose_name_plural': 'leaving'},
        ),
        migrations.AlterModelOptions(
            name='member',
            options={'verbose_name': 'member', 'verbose_name_plural': 'members'},
        ),
        migrations.AlterModelOptions(
            name='mute',
            options={'verbose_name': 'mute', 'verbose_name_plural': 'mutes'},
        ),
        migrations.AlterModelOptions(
            name='pendingunlink',
            options={'verbose_name': 'pending unlink', 'verbose_name_plural': 'pending unlinks'},
        ),
        migrations.AlterModelOptions(
            name='providernotice',
            options={'verbose_name': 'provider notice', 'verbose_name_plural': 'provider notices'},
        ),
        migrations.AlterModelOptions(
            name='refreshtoken',
            options={'verbose_name': 'refresh token', 'verbose_name_plural': 'refresh tokens'},
        ),
        migrations.AlterModelOptions(
            name='retainedrecord',
            options={'verbose_name': 'retained record', 'verbose_name_plural': 'retained records'},
        ),
        migrations.AlterModelOptions(
            name='socialidentity',
            options={'verbose_name': 'social identity', 'verbose_name_plural': 'social identities'},
        ),
        migrations.AlterModelOptions(
            name='socialnonce',
            options={'verbose_name': 'social nonce', 'verbose_name_plural': 'social nonces'},
        ),
        migrations.AlterModelOptions(
            name='spentcredential',
            options={'verbose_name': 'spent credential', 'verbose_name_plural': 'spent credentials'},
        ),
        migrations.AlterField(
            model_name='consent',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='device_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='device'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='device_platform',
            field=models.CharField(blank=True, choices=[('ios', 'iOS'), ('android', 'Android'), ('web', 'Web')], db_default='', default='', max_length=10, verbose_name='platform'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='granted',
            field=models.BooleanField(verbose_name='granted'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='kind',
            field=models.CharField(choices=[('terms', 'terms of service'), ('privacy', 'processing of personal data'), ('marketing', 'marketing messages'), ('marketing_night', 'marketing messages at night')], max_length=20, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='member',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='consents', to=settings.AUTH_USER_MODEL, verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='version',
            field=models.CharField(max_length=20, verbose_name='version'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='channel',
            field=models.CharField(choices=[('answer', 'answer of the API'), ('mail', 'mail')], max_length=10, verbose_name='channel'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='consent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='members.consent', verbose_name='consent'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='queued_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text="of the last mail's task", verbose_name='queued at'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='reason',
            field=models.CharField(choices=[('outcome', 'outcome of a choice'), ('two_years', 'confirmation after two years')], max_length=10, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='consentnotice',
            name='told_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='told at'),
        ),
        migrations.AlterField(
            model_name='leaving',
            name='erase_at',
            field=models.DateTimeField(verbose_name='erase at'),
        ),
        migrations.AlterField(
            model_name='leaving',
            name='erasing_since',
            field=models.DateTimeField(blank=True, null=True, verbose_name='erasing since'),
        ),
        migrations.AlterField(
            model_name='leaving',
            name='left_at',
            field=models.DateTimeField(verbose_name='left at'),
        ),
        migrations.AlterField(
            model_name='leaving',
            name='member',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='leaving', to=settings.AUTH_USER_MODEL, verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='member',
            name='avatar',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='media.upload', verbose_name='picture'),
        ),
        migrations.AlterField(
            model_name='member',
            name='bio',
            field=models.CharField(blank=True, default='', max_length=300, verbose_name='bio'),
        ),
        migrations.AlterField(
            model_name='member',
            name='blocked_count',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='blocked by'),
        ),
        migrations.AlterField(
            model_name='member',
            name='blocks_count',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='blocks made'),
        ),
        migrations.AlterField(
            model_name='member',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at'),
        ),
        migrations.AlterField(
            model_name='member',
            name='display_name',
            field=models.CharField(max_length=30, verbose_name='display name'),
        ),
        migrations.AlterField(
            model_name='member',
            name='email',
            field=models.EmailField(blank=True, default='', max_length=254, verbose_name='e-mail address'),
        ),
        migrations.AlterField(
            model_name='member',
            name='email_verified',
            field=models.BooleanField(default=False, verbose_name='address verified'),
        ),
        migrations.AlterField(
            model_name='member',
            name='followers_count',
            field=models.PositiveIntegerField(default=0, verbose_name='followers'),
        ),
        migrations.AlterField(
            model_name='member',
            name='following_count',
            field=models.PositiveIntegerField(default=0, verbose_name='following'),
        ),
        migrations.AlterField(
            model_name='member',
            name='is_active',
            field=models.BooleanField(default=True, verbose_name='account is open'),
        ),
        migrations.AlterField(
            model_name='member',
            name='is_staff',
            field=models.BooleanField(default=False, verbose_name='operator'),
        ),
        migrations.AlterField(
            model_name='member',
            name='kind',
            field=models.CharField(choices=[('common', 'common'), ('designer', 'designer')], default='common', max_length=10, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='member',
            name='locale',
            field=models.CharField(choices=[('ko', '한국어'), ('en', 'English')], default='ko', max_length=2, verbose_name='language'),
        ),
        migrations.AlterField(
            model_name='member',
            name='posts_count',
            field=models.PositiveIntegerField(default=0, verbose_name='posts'),
        ),
        migrations.AlterField(
            model_name='member',
            name='privacy_agreed',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20, verbose_name='privacy text agreed to'),
        ),
        migrations.AlterField(
            model_name='member',
            name='suspended_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='suspended until'),
        ),
        migrations.AlterField(
            model_name='member',
            name='terms_agreed',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20, verbose_name='terms agreed to'),
        ),
        migrations.AlterField(
            model_name='member',
            name='username',
            field=models.CharField(max_length=30, unique=True, verbose_name='username'),
        ),
        migrations.AlterField(
            model_name='member',
            name='version',
            field=models.PositiveIntegerField(default=1, verbose_name='version'),
        ),
        migrations.AlterField(
            model_name='socialidentity',
            name='created_at',
            field=models.DateTimeField(auto_now_add=True, verbose_name='linked at'),
        ),
        migrations.AlterField(
            model_name='socialidentity',
            name='member',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL, verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='socialidentity',
            name='provider',
            field=models.CharField(choices=[('kakao', 'Kakao'), ('apple', 'Apple'), ('google', 'Google'), ('facebook', 'Facebook'), ('naver', 'Naver')], max_length=10, verbose_name='provider'),
        ),
        migrations.AlterField(
            model_name='socialidentity',
            name='subject',
            field=models.CharField(help_text="the provider's id of them", max_length=255, verbose_name='id at the provider'),
        ),
        migrations.AlterField(
            model_name='leaving',
            name='emptied_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='emptied at'),
        ),
    ]
