-- What was decided to do, one row an action; with CAP_DAYS, at most once in so many days.
create or replace view DECIDED as
select
    t.TWEET_ID,
    t.POSTED_AT,
    a.index as RANK,
    a.value:kind::varchar as KIND,
    a.value:subject::varchar as SUBJECT,
    a.value:product::varchar as PRODUCT,
    a.value:why::varchar as WHY,
    a.value:cap_days::int as CAP_DAYS
from POSTS t, lateral flatten(input => t.RESULT:actions) a;

-- What to do next: of what was decided, what the caps leave and who agreed still agrees to.
-- Consumers that decide at the same time do not know of each other, so caps are kept here as well:
-- a subject's actions of a kind are gone through in their order, and only a shown one hides others.
create or replace view ACTIONS as
with recursive
    NUMBERED as (
        select
            *,
            row_number() over (partition by KIND, SUBJECT order by POSTED_AT, TWEET_ID) as N
        from DECIDED
        where CAP_DAYS > 0
    ),
    -- LAST is the latest shown so far, BEFORE the one before it. Any two offers are 14 days apart
    -- (ANY_OFFER_DAYS of application/action.py), so no third is within the 30 of one product.
    WALK (
        KIND, SUBJECT, N, TWEET_ID, RANK, SHOWN,
        LAST_AT, LAST_PRODUCT, BEFORE_AT, BEFORE_PRODUCT
    ) as (
        select
            KIND, SUBJECT, N, TWEET_ID, RANK, true,
            POSTED_AT, PRODUCT, null::timestamp_ntz, null::varchar
        from NUMBERED
        where N = 1
        union all
        select
            n.KIND, n.SUBJECT, n.N, n.TWEET_ID, n.RANK,
            n.POSTED_AT >= dateadd(
                day,
                iff(n.KIND = 'offer' and n.PRODUCT is distinct from w.LAST_PRODUCT, 14, n.CAP_DAYS),
                w.LAST_AT
            ) and (
                w.BEFORE_AT is null
                or n.PRODUCT is distinct from w.BEFORE_PRODUCT
                or n.POSTED_AT >= dateadd(day, n.CAP_DAYS, w.BEFORE_AT)
            ) as FREE,
            iff(FREE, n.POSTED_AT, w.LAST_AT),
            iff(FREE, n.PRODUCT, w.LAST_PRODUCT),
            iff(FREE, w.LAST_AT, w.BEFORE_AT),
            iff(FREE, w.LAST_PRODUCT, w.BEFORE_PRODUCT)
        from WALK w
        join NUMBERED n on n.KIND = w.KIND and n.SUBJECT = w.SUBJECT and n.N = w.N + 1
    )
select d.*
from DECIDED d
left join WALK w on w.TWEET_ID = d.TWEET_ID and w.RANK = d.RANK
left join CUSTOMERS c on c.CUSTOMER_ID = d.SUBJECT
where coalesce(w.SHOWN, true)
    and case d.KIND
        when 'service_call' then c.CONTACT_CONSENT
        when 'household_merge' then c.CUSTOMER_ID is not null
        -- An offer of no product is a general answer to a prospect, who is no customer.
        when 'offer' then d.PRODUCT is null or c.MARKETING_CONSENT
        else true
    end;
