-- Reads the view once: it compiles, and who runs the jobs may read it.
select CATEGORY, count(*) as POSTS, min(POSTED_AT) as SINCE, max(POSTED_AT) as UNTIL
from CUST360
group by CATEGORY
order by CATEGORY;
