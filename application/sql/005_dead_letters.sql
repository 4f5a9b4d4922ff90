-- What was no post, as it was kept on Kafka: why (REASON), whatever its headers told (ORIGIN, where
-- topic, partition and offset are those of the message itself) and the head of its text (RECORD).
-- Snowflake does not enforce a key; the MERGE of application/dead_letters.py keeps one of TOPIC,
-- PARTITION, KAFKA_OFFSET and PUBLISHED_AT: a topic that is made anew counts from 0 again.
create table if not exists DEAD_LETTERS (
    TOPIC varchar not null,
    PARTITION number not null,
    KAFKA_OFFSET number not null,
    PUBLISHED_AT timestamp_ntz,
    REASON varchar,
    ORIGIN variant,
    RECORD varchar,
    LOADED_AT timestamp_ntz not null
);
