-- The view that people read: one row a post. A place stands for its middle. ACTION is the first of
-- the ACTIONS_SHOWN that the view ACTIONS has for the post. PUBLISHED_AT is when Kafka got the post.
create or replace view CUST360 as
select
    t.TWEET_ID,
    t.POSTED_AT,
    t.RAW:quadrant::varchar as QUADRANT,
    t.RAW:lang::varchar as LANG,
    t.RAW:author.username::varchar as AUTHOR,
    t.RAW:author.name::varchar as AUTHOR_NAME,
    t.RAW:text::varchar as TEXT,
    coalesce(
        t.RAW:position.lon::float,
        (t.RAW:position.bbox[0]::float + t.RAW:position.bbox[2]::float) / 2
    ) as LON,
    coalesce(
        t.RAW:position.lat::float,
        (t.RAW:position.bbox[1]::float + t.RAW:position.bbox[3]::float) / 2
    ) as LAT,
    m.CATEGORY,
    m.CONFIDENCE,
    m.DISTANCE_M,
    m.EVIDENCE,
    m.CUSTOMER_ID,
    c.FIRST_NAME || ' ' || c.LAST_NAME as CUSTOMER,
    m.ADDRESS_ID,
    a.NUMBER || ' ' || a.STREET || coalesce(' ' || nullif(a.UNIT, ''), '') || ', ' || a.CITY
        || ' ' || a.POSTCODE as ADDRESS,
    m.HOUSEHOLD_ID,
    h.NAME as HOUSEHOLD,
    t.RESULT:feeling::varchar as FEELING,
    t.RESULT:score::float as SCORE,
    t.RESULT:topics as TOPICS,
    n.KIND as ACTION,
    n.PRODUCT,
    n.WHY,
    coalesce(n.SHOWN, 0) as ACTIONS_SHOWN,
    t.ORIGIN:published_at::timestamp_ntz as PUBLISHED_AT,
    t.LOADED_AT
from POSTS t
join MATCHES m on m.TWEET_ID = t.TWEET_ID
left join CUSTOMERS c on c.CUSTOMER_ID = m.CUSTOMER_ID
left join ADDRESSES a on a.ADDRESS_ID = m.ADDRESS_ID
left join HOUSEHOLDS h on h.HOUSEHOLD_ID = m.HOUSEHOLD_ID
left join (
    select *, count(*) over (partition by TWEET_ID) as SHOWN
    from ACTIONS
    qualify row_number() over (partition by TWEET_ID order by RANK) = 1
) n on n.TWEET_ID = t.TWEET_ID;
