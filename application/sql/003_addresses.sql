-- What OpenAddresses tells, written by geo_load; ADDRESS_ID is its HASH.
create table if not exists ADDRESSES (
    ADDRESS_ID varchar not null primary key,
    LON float,
    LAT float,
    NUMBER varchar,
    STREET varchar,
    UNIT varchar,
    CITY varchar,
    REGION varchar,
    POSTCODE varchar,
    ADDRESS_KEY varchar,
    LOADED_AT timestamp_ntz
);

-- LOAD_ID names the attempt that a row belongs to, LINE where it stands in its file.
create table if not exists GEO_STAGE (
    LOAD_ID varchar,
    LINE number,
    ADDRESS_ID varchar,
    LON float,
    LAT float,
    NUMBER varchar,
    STREET varchar,
    UNIT varchar,
    CITY varchar,
    REGION varchar,
    POSTCODE varchar,
    ADDRESS_KEY varchar
);

create stage if not exists GEO_FILES;
