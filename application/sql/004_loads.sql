-- Which file or extract was loaded when, how it ended, and what was rejected.
create table if not exists LOADS (
    LOAD_ID varchar not null primary key,
    KIND varchar,
    SOURCE varchar,
    ETAG varchar,
    STATUS varchar,
    ROWS_READ number,
    ROWS_LOADED number,
    ROWS_REJECTED number,
    WATERMARK varchar,
    STARTED_AT timestamp_ntz,
    FINISHED_AT timestamp_ntz
);

create table if not exists REJECTS (
    LOAD_ID varchar,
    LINE number,
    REASON varchar,
    RECORD varchar
);
