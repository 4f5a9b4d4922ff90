-- Every post once, whole: as it came (RAW), what was made of it (RESULT), where it was read (ORIGIN).
-- Snowflake does not enforce the key; the MERGE of application/warehouse.py keeps it.
create table if not exists TWEETS (
    TWEET_ID varchar not null primary key,
    RAW variant not null,
    RESULT variant not null,
    ORIGIN variant not null,
    POSTED_AT timestamp_ntz not null,
    LOADED_AT timestamp_ntz not null
);
