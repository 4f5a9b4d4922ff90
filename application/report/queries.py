"""What the page asks of the lake; counts are made there, so that a million posts cost no more.

AS_OF binds the time that the page is of: what is loaded while it is made is left out everywhere.
Times without a zone are UTC, as the lake has them.
"""

from __future__ import annotations

KINDS = ("service_call", "offer", "household_merge")
# So much of a text is shown: more than a post has, unless its author pays for long ones.
LETTERS = 600
# Rows of each table of the data's quality.
SHOWN = 12

_AS_OF = "LOADED_AT <= cast(? as timestamp_ntz)"
_KINDS = ", ".join(f"'{kind}'" for kind in KINDS)
_PLACES = " ".join(f"when '{kind}' then {place}" for place, kind in enumerate(KINDS))
_DIMENSIONS = "c.QUADRANT, c.LANG, c.CATEGORY, c.FEELING"


def _bucket(column: str) -> str:
    """Return the number of a time's slice; binds the start of the first and a slice's seconds."""
    return f"floor(datediff(second, cast(? as timestamp_ntz), {column}) / ?)"


NOW = "select sysdate()"

# Binds AS_OF.
SPAN = f"""
select
    count(*),
    min(POSTED_AT),
    max(POSTED_AT),
    least(min(LOADED_AT), coalesce(min(PUBLISHED_AT), min(LOADED_AT))),
    max(LOADED_AT),
    count(PUBLISHED_AT),
    count(LON)
from CUST360
where {_AS_OF}
"""

# Bind a start, seconds, AS_OF.
POSTS = f"""
select {_DIMENSIONS}, {_bucket("c.POSTED_AT")} as SLICE, count(*)
from CUST360 c
where c.{_AS_OF}
group by 1, 2, 3, 4, 5
order by 1, 2, 3, 4, 5
"""
ACTIONS = f"""
select {_DIMENSIONS}, {_bucket("c.POSTED_AT")} as SLICE, a.KIND, count(*)
from ACTIONS a
join CUST360 c on c.TWEET_ID = a.TWEET_ID
where a.KIND in ({_KINDS}) and c.{_AS_OF}
group by 1, 2, 3, 4, 5, 6
order by 1, 2, 3, 4, 5, 6
"""

# Bind AS_OF, and how many posts or actions of a kind. Which posts are
# drawn is by chance, and the same each time: a hash has no favourites.
# A post's first kind of action is its place in KINDS.
DOTS = f"""
select
    {_DIMENSIONS}, c.POSTED_AT, c.LON, c.LAT, c.AUTHOR, c.AUTHOR_NAME,
    left(c.TEXT, {LETTERS}), length(c.TEXT), c.CUSTOMER, c.EVIDENCE, c.CONFIDENCE,
    a.FIRST_KIND
from CUST360 c
left join (
    select TWEET_ID, min(case KIND {_PLACES} end) as FIRST_KIND
    from ACTIONS
    where KIND in ({_KINDS})
    group by TWEET_ID
) a on a.TWEET_ID = c.TWEET_ID
where c.LON is not null and c.LAT is not null and c.{_AS_OF}
qualify row_number() over (order by md5(c.TWEET_ID), c.TWEET_ID) <= ?
order by md5(c.TWEET_ID), c.TWEET_ID
"""
TO_DO = f"""
select
    {_DIMENSIONS}, c.POSTED_AT, c.AUTHOR, c.AUTHOR_NAME, left(c.TEXT, {LETTERS}), length(c.TEXT),
    c.CUSTOMER, c.CUSTOMER_ID, c.ADDRESS, c.HOUSEHOLD, c.CONFIDENCE, c.DISTANCE_M, c.EVIDENCE,
    c.SCORE, a.KIND, a.PRODUCT, a.WHY, c.TWEET_ID
from ACTIONS a
join CUST360 c on c.TWEET_ID = a.TWEET_ID
where a.KIND in ({_KINDS}) and c.{_AS_OF}
qualify row_number() over (partition by a.KIND order by c.POSTED_AT desc, c.TWEET_ID, a.RANK) <= ?
order by a.KIND, c.POSTED_AT desc, c.TWEET_ID, a.RANK
"""

# Who belongs together with the customer of a post; binds how many posts, the newest.
KIN = """
select
    f.TWEET_ID,
    f.CUSTOMER_ID,
    c.FIRST_NAME || ' ' || c.LAST_NAME,
    c.NUMBER || ' ' || c.STREET || coalesce(' ' || nullif(c.UNIT, ''), '') || ', ' || c.CITY,
    h.NAME
from (
    select m.TWEET_ID, k.value::varchar as CUSTOMER_ID
    from (
        select n.TWEET_ID, n.KIN
        from MATCHES n
        join ACTIONS a on a.TWEET_ID = n.TWEET_ID
        where a.KIND = 'household_merge'
        qualify row_number() over (order by n.POSTED_AT desc, n.TWEET_ID) <= ?
    ) m, lateral flatten(input => m.KIN) k
) f
left join CUSTOMERS c on c.CUSTOMER_ID = f.CUSTOMER_ID
left join HOUSEHOLDS h on h.HOUSEHOLD_ID = c.HOUSEHOLD_ID
order by f.TWEET_ID, f.CUSTOMER_ID
"""

# Bind a start, seconds, AS_OF.
LOADED = f"""
select
    {_bucket("LOADED_AT")} as SLICE,
    count(*),
    median(datediff(millisecond, PUBLISHED_AT, LOADED_AT) / 1000),
    percentile_cont(0.95) within group (
        order by datediff(millisecond, PUBLISHED_AT, LOADED_AT) / 1000
    )
from CUST360
where {_AS_OF}
group by 1
order by 1
"""
PUBLISHED = f"""
select {_bucket("PUBLISHED_AT")} as SLICE, count(*)
from CUST360
where PUBLISHED_AT is not null and {_AS_OF}
group by 1
order by 1
"""
# Binds AS_OF.
LAGS = f"""
select
    median(datediff(second, POSTED_AT, PUBLISHED_AT)),
    median(datediff(millisecond, PUBLISHED_AT, LOADED_AT) / 1000),
    percentile_cont(0.95) within group (
        order by datediff(millisecond, PUBLISHED_AT, LOADED_AT) / 1000
    )
from CUST360
where PUBLISHED_AT is not null and {_AS_OF}
"""

# The counts are of all rows, and of the reasons that their table has a row for.
LOADS = f"""
select KIND, SOURCE, STATUS, ROWS_READ, ROWS_LOADED, ROWS_REJECTED, STARTED_AT, FINISHED_AT
from LOADS
order by STARTED_AT desc, LOAD_ID
limit {SHOWN}
"""
REJECTS = f"""
select l.KIND, r.REASON, count(*) as ROWS_REJECTED, min(left(r.RECORD, 160))
from REJECTS r
left join LOADS l on l.LOAD_ID = r.LOAD_ID
group by 1, 2
order by 3 desc, 1, 2
limit {SHOWN}
"""
DEAD_LETTERS = f"""
select REASON, count(*) as LETTERS, max(PUBLISHED_AT), min(left(RECORD, 160))
from DEAD_LETTERS
group by 1
order by 2 desc, 1
limit {SHOWN}
"""
LOAD_COUNTS = "select count(*) from LOADS"
REJECT_COUNTS = """
select coalesce(sum(N), 0), count(*)
from (
    select count(*) as N
    from REJECTS r
    left join LOADS l on l.LOAD_ID = r.LOAD_ID
    group by l.KIND, r.REASON
)
"""
DEAD_COUNTS = """
select coalesce(sum(N), 0), count(*)
from (select count(*) as N from DEAD_LETTERS group by REASON)
"""
# A lake that is older than the table has none.
DEAD_TABLE = """
select count(*)
from information_schema.tables
where table_schema = current_schema() and table_name = 'DEAD_LETTERS'
"""

# What the pipeline told of each post, to be held against the truth; binds AS_OF.
TOLD = f"select TWEET_ID, CATEGORY, CUSTOMER_ID from CUST360 where {_AS_OF}"
