-- Tables for the finished buckets of many robots in PostgreSQL, which mqtt-store fills. TimescaleDB is
-- not needed; with it, make `buckets` a hypertable over `from_utc`.

CREATE TABLE IF NOT EXISTS inbox (message text NOT NULL);

CREATE TABLE IF NOT EXISTS buckets (
    robot text NOT NULL,
    place text NOT NULL,
    kind text NOT NULL,
    -- The rule of a bucket of answers; empty for others.
    rule text NOT NULL,
    from_utc timestamptz NOT NULL,
    to_utc timestamptz NOT NULL,
    figures jsonb NOT NULL,
    -- A bucket that was sent twice is one.
    PRIMARY KEY (robot, place, kind, rule, from_utc, to_utc)
);
CREATE INDEX IF NOT EXISTS buckets_by_time ON buckets (from_utc);

CREATE TABLE IF NOT EXISTS robots (
    robot text PRIMARY KEY,
    online boolean NOT NULL,
    since timestamptz NOT NULL
);

-- Every message as mosquitto_sub writes it: topic, tabulator, payload.
CREATE OR REPLACE FUNCTION sort_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    topic text[];
    figures jsonb;
    robot_name text;
BEGIN
    topic := string_to_array(split_part(NEW.message, E'\t', 1), '/');
    figures := split_part(NEW.message, E'\t', 2)::jsonb;
    robot_name := topic[array_length(topic, 1) - 2];
    IF topic[array_length(topic, 1)] = 'status' THEN
        robot_name := topic[array_length(topic, 1) - 1];
        INSERT INTO robots VALUES (robot_name, (figures->>'online')::boolean, now())
        ON CONFLICT (robot) DO UPDATE SET online = EXCLUDED.online, since = EXCLUDED.since
        WHERE robots.online <> EXCLUDED.online;
    ELSE
        INSERT INTO buckets VALUES (
            robot_name, figures->>'place', figures->>'bucket', coalesce(figures->>'rule', ''),
            to_timestamp((figures->>'from_secs')::bigint), to_timestamp((figures->>'to_secs')::bigint),
            figures - '{place,bucket,rule,from_secs,to_secs}'::text[]
        ) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    -- Somebody else's message must not stop the rest.
    RAISE WARNING 'not stored, for it is no message of Rapport: %', left(NEW.message, 200);
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS sort_message ON inbox;
CREATE TRIGGER sort_message BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION sort_message();

-- Visits and smiles of each day (UTC) and place: sums over buckets of ten visits or more.
CREATE OR REPLACE VIEW days AS
SELECT place, date_trunc('day', from_utc AT TIME ZONE 'UTC')::date AS day,
       sum((figures->>'visits')::bigint) AS visits,
       sum((figures->'smiles'->>'n')::bigint) AS smile_visits,
       sum((figures->'smiles'->>'count')::bigint) AS smiles
FROM buckets WHERE kind = 'visits' GROUP BY place, day ORDER BY place, day;
