"""The database keeps the record of consents: no row changes, and none goes while the account is open.

A later migration that has to write a column of theirs disables the trigger while it does so.
"""

from django.db import migrations

TABLE = "members_consent"


class Migration(migrations.Migration):
    dependencies = [("members", "0002_consents")]

    operations = [
        migrations.RunSQL(
            f"""
            CREATE FUNCTION members_consent_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    RAISE EXCEPTION 'a consent never changes'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                IF EXISTS (SELECT FROM members_member WHERE id = OLD.member_id AND is_active) THEN
                    RAISE EXCEPTION 'a consent goes with its member alone'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER members_consent_unchanged BEFORE UPDATE ON {TABLE}
                FOR EACH ROW EXECUTE FUNCTION members_consent_is_kept();
            -- At the commit: Django deletes a member's consents just before the member.
            CREATE CONSTRAINT TRIGGER members_consent_undeleted AFTER DELETE ON {TABLE}
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION members_consent_is_kept();
            """,
            f"""
            DROP TRIGGER members_consent_undeleted ON {TABLE};
            DROP TRIGGER members_consent_unchanged ON {TABLE};
            DROP FUNCTION members_consent_is_kept();
            """,
            # The code before this one adds consents, and does no more with them.
            hints={"expands": True},
        ),
    ]
