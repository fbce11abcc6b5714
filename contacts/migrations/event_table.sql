-- Events, partitioned by the month in which they came in. Ids in the clear, properties sealed.
CREATE TABLE contacts_event (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id integer NOT NULL,
    contact_id bigint NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    source text NOT NULL DEFAULT '',
    campaign uuid,
    message_id bigint,
    link text NOT NULL DEFAULT '',
    machine boolean NOT NULL DEFAULT false,
    properties bytea,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);

CREATE INDEX contacts_event_of_contact ON contacts_event (organisation_id, contact_id, occurred_at);
CREATE INDEX contacts_event_of_campaign
    ON contacts_event (organisation_id, campaign, kind, occurred_at) INCLUDE (contact_id, machine);
CREATE INDEX contacts_event_settled ON contacts_event (organisation_id, txid, id);

CREATE TABLE contacts_event_default PARTITION OF contacts_event DEFAULT;
ALTER TABLE contacts_event_default ENABLE ROW LEVEL SECURITY;

-- Runs as the tables' owner, because the application's role may not create tables. A partition is
-- granted to nobody: it is reached through its parent, which carries the policy.
CREATE FUNCTION contacts_ensure_partitions(today date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', today)::date;
    month date;
    name text;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'months must lie between 0 and 24';
    END IF;
    PERFORM pg_advisory_xact_lock(7031);
    FOR ahead IN -1..months LOOP
        month := (first + make_interval(months => ahead))::date;
        name := 'contacts_event_' || to_char(month, 'YYYY_MM');
        IF to_regclass('public.' || name) IS NULL AND NOT EXISTS (
            SELECT FROM contacts_event_default
            WHERE received_at >= (month::timestamp AT TIME ZONE 'UTC')
              AND received_at < ((month + interval '1 month') AT TIME ZONE 'UTC')
        ) THEN
            EXECUTE format(
                'CREATE TABLE public.%I PARTITION OF public.contacts_event'
                ' FOR VALUES FROM (%L) TO (%L)',
                name,
                month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month') AT TIME ZONE 'UTC'
            );
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- ANALYZE needs the owner's right too. Nothing of the caller reaches the statement.
CREATE FUNCTION contacts_analyze() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE contacts_contact, contacts_identifier, contacts_event, crypto_datakey;
END $$;

-- Sealed bytes do not compress.
ALTER TABLE contacts_contact
    ALTER COLUMN identity SET STORAGE EXTERNAL,
    ALTER COLUMN contact_point SET STORAGE EXTERNAL,
    ALTER COLUMN demographic SET STORAGE EXTERNAL,
    ALTER COLUMN clinical SET STORAGE EXTERNAL,
    ALTER COLUMN coverage SET STORAGE EXTERNAL;
