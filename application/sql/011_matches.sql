-- Who each post is from.
create or replace view MATCHES as
select
    TWEET_ID,
    POSTED_AT,
    RESULT:category::varchar as CATEGORY,
    RESULT:confidence::float as CONFIDENCE,
    RESULT:distance_m::float as DISTANCE_M,
    RESULT:address_id::varchar as ADDRESS_ID,
    RESULT:customer_id::varchar as CUSTOMER_ID,
    RESULT:household_id::varchar as HOUSEHOLD_ID,
    RESULT:kin as KIN,
    RESULT:evidence::varchar as EVIDENCE
from POSTS;
