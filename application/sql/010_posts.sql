-- Every post once. Snowflake does not promise that of TWEETS where two consumers store one post at
-- the same moment: it does not enforce the key, and each MERGE may miss what the other inserts.
create or replace view POSTS as
select *
from TWEETS
qualify row_number() over (partition by TWEET_ID order by LOADED_AT) = 1;
