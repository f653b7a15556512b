from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("container_manager", "0004_hot_indexes")]

    operations = [
        migrations.AddField(
            model_name="capacity",
            name="memory_aside",
            field=models.PositiveBigIntegerField(default=0),
        ),
    ]
