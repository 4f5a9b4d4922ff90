-- What to do next, one row an action. Two consumers that decide at the same time do not know of
-- each other: of their actions under one cap the first post's is shown.
create or replace view ACTIONS as
select *
from (
    select
        t.TWEET_ID,
        t.POSTED_AT,
        a.index as RANK,
        a.value:kind::varchar as KIND,
        a.value:subject::varchar as SUBJECT,
        a.value:product::varchar as PRODUCT,
        a.value:why::varchar as WHY,
        a.value:cap_days::int as CAP_DAYS
    from TWEETS t, lateral flatten(input => t.RESULT:actions) a
)
qualify CAP_DAYS = 0 or (
    coalesce(dateadd(day, CAP_DAYS, lag(POSTED_AT) over (
        partition by SUBJECT, KIND, PRODUCT order by POSTED_AT, TWEET_ID
    )) <= POSTED_AT, true)
    -- Of offers of any products one in 14 days: ANY_OFFER_DAYS of application/action.py.
    and (KIND <> 'offer' or coalesce(dateadd(day, 14, lag(POSTED_AT) over (
        partition by SUBJECT, KIND order by POSTED_AT, TWEET_ID
    )) <= POSTED_AT, true))
);
