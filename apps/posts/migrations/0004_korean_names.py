"""What operators read in the admin is translated: names alone, which the database does not hold."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('posts', '0003_comments_by_author'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='color',
            options={'ordering': ['position', 'slug'], 'verbose_name': 'colour', 'verbose_name_plural': 'colours'},
        ),
        migrations.AlterModelOptions(
            name='comment',
            options={'verbose_name': 'comment', 'verbose_name_plural': 'comments'},
        ),
        migrations.AlterModelOptions(
            name='housingtype',
            options={'ordering': ['position', 'slug'], 'verbose_name': 'housing type', 'verbose_name_plural': 'housing types'},
        ),
        migrations.AlterModelOptions(
            name='photo',
            options={'verbose_name': 'photo', 'verbose_name_plural': 'photos'},
        ),
        migrations.AlterModelOptions(
            name='post',
            options={'verbose_name': 'post', 'verbose_name_plural': 'posts'},
        ),
        migrations.AlterModelOptions(
            name='postlike',
            options={'verbose_name': 'like', 'verbose_name_plural': 'likes'},
        ),
        migrations.AlterModelOptions(
            name='pyeong',
            options={'ordering': ['position', 'slug'], 'verbose_name': 'pyeong band', 'verbose_name_plural': 'pyeong bands'},
        ),
        migrations.AlterModelOptions(
            name='style',
            options={'ordering': ['position', 'slug'], 'verbose_name': 'style', 'verbose_name_plural': 'styles'},
        ),
    ]
