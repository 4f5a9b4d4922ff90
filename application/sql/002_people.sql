-- What the CRM tells, written by crm_extract.
create table if not exists CUSTOMERS (
    CUSTOMER_ID varchar not null primary key,
    FIRST_NAME varchar,
    LAST_NAME varchar,
    HANDLE varchar,
    EMAIL varchar,
    PHONE varchar,
    NUMBER varchar,
    STREET varchar,
    UNIT varchar,
    CITY varchar,
    REGION varchar,
    POSTCODE varchar,
    ADDRESS_KEY varchar,
    HOUSEHOLD_ID varchar,
    CONTACT_CONSENT boolean,
    MARKETING_CONSENT boolean,
    UPDATED_AT timestamp_ntz
);

create table if not exists PORTFOLIOS (
    CUSTOMER_ID varchar not null,
    PRODUCT varchar not null,
    BALANCE number(14, 2),
    OPENED_ON date,
    UPDATED_AT timestamp_ntz,
    primary key (CUSTOMER_ID, PRODUCT)
);

create table if not exists HOUSEHOLDS (
    HOUSEHOLD_ID varchar not null primary key,
    NAME varchar,
    ADVISOR varchar,
    UPDATED_AT timestamp_ntz
);
