"""A relay may follow the policy that is written for each domain."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0015_payment_of_a_send")]

    operations = [
        migrations.AlterField(
            model_name="pool",
            name="onward",
            field=models.CharField(
                choices=[
                    ("opportunistic", "Tries TLS, may fall back to the clear"),
                    ("per_domain", "Follows the policy that is written for each domain"),
                    ("enforced", "Delivers only over verified TLS"),
                ],
                default="opportunistic",
                max_length=16,
            ),
        ),
    ]
