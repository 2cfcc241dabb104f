"""The device of a consent, the newest agreed versions, and what members were told."""

import apps.common.ids
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentNotice',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('outcome', 'outcome of a choice'), ('two_years', 'confirmation after two years')], max_length=10)),
                ('channel', models.CharField(choices=[('answer', 'answer of the API'), ('mail', 'mail')], max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('queued_at', models.DateTimeField(default=django.utils.timezone.now, help_text="of the last mail's task")),
                ('told_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name='consent',
            name='device_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='consent',
            name='device_platform',
            field=models.CharField(blank=True, choices=[('ios', 'iOS'), ('android', 'Android'), ('web', 'Web')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='consent',
            name='session_id',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='privacy_agreed',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20),
        ),
        migrations.AddField(
            model_name='member',
            name='terms_agreed',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20),
        ),
        migrations.AlterField(
            model_name='consent',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('granted', True), ('kind__in', ['marketing', 'marketing_night'])), fields=['created_at'], name='consent_marketing_age'),
        ),
        migrations.AddField(
            model_name='consentnotice',
            name='consent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='members.consent'),
        ),
        migrations.AddIndex(
            model_name='consentnotice',
            index=models.Index(fields=['consent', 'reason', '-told_at'], name='consent_notice_last'),
        ),
        migrations.AddIndex(
            model_name='consentnotice',
            index=models.Index(condition=models.Q(('told_at__isnull', True)), fields=['queued_at'], name='consent_notice_untold'),
        ),
        migrations.AddConstraint(
            model_name='consentnotice',
            constraint=models.UniqueConstraint(condition=models.Q(('told_at__isnull', True)), fields=('consent', 'reason'), name='consent_notice_one_untold'),
        ),
        migrations.AddConstraint(
            model_name='consentnotice',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['outcome', 'two_years'])), name='consent_notice_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='consentnotice',
            constraint=models.CheckConstraint(condition=models.Q(('channel', 'mail'), models.Q(('channel', 'answer'), ('told_at__isnull', False)), _connector='OR'), name='consent_notice_answer_is_told'),
        ),
    ]
