-- The members of every segment of examples/online-retail, in SQL written by hand from the description
-- and the condition, without Segue. Each part is one SELECT of user ids over:
--   e      every row of the file with ts <= now, numbered in file order (seq)
--   now    a timestamp, given by the test
-- A part may use the parts above it as views of the same name.

-- part: net_1y
select user_id, sum(cast(amount as decimal(18, 2))) as net, count(*) filter (event = 'purchase') as lines
from e where ts > now() - interval 365 day group by user_id

-- part: purchases
select user_id, min(ts) as first_ts, max(ts) as last_ts, count(distinct invoice) as orders
from e where event = 'purchase' group by user_id

-- part: lifecycle
select user_id,
  case
    when first_ts >= now() - interval 30 day then 'new_customers'
    when last_ts > now() - interval 30 day and first_ts < now() - interval 120 day
      and user_id not in (select user_id from e where event = 'purchase'
                          and ts > now() - interval 120 day and ts <= now() - interval 30 day)
      then 'won_back_customers'
    when last_ts >= now() - interval 90 day then 'active_customers'
    when last_ts >= now() - interval 180 day then 'lapsing_customers'
    else 'lost_customers'
  end as stage
from purchases

-- segment: new_customers
select user_id from lifecycle where stage = 'new_customers'

-- segment: won_back_customers
select user_id from lifecycle where stage = 'won_back_customers'

-- segment: active_customers
select user_id from lifecycle where stage = 'active_customers'

-- segment: lapsing_customers
select user_id from lifecycle where stage = 'lapsing_customers'

-- segment: lost_customers
select user_id from lifecycle where stage = 'lost_customers'

-- segment: big_spenders
select user_id from net_1y where net >= 5000

-- segment: steady_spenders
select user_id from net_1y where net >= 1000 and net < 5000

-- segment: small_spenders
select user_id from net_1y where net < 1000 and lines > 0

-- segment: frequent_buyers
select user_id from e where event = 'purchase' and ts > now() - interval 90 day
group by user_id having count(distinct invoice) >= 3

-- segment: engaged_customers
select user_id from e where event = 'purchase' and ts > now() - interval 90 day
group by user_id having 10 * count(distinct invoice) + count(distinct sku) >= 100

-- segment: rising_spenders
with spent as (
  select user_id, sum(cast(amount as decimal(18, 2))) as in_1y,
    sum(cast(amount as decimal(18, 2))) filter (ts > now() - interval 90 day) as in_90d
  from e where event = 'purchase' and ts > now() - interval 365 day group by user_id)
select user_id from spent join purchases using (user_id)
where in_90d >= 500 and 2 * in_90d > in_1y and first_ts <= now() - interval 180 day

-- segment: wholesale_buyers
select user_id from e where event = 'purchase' and ts > now() - interval 180 day
group by user_id having sum(quantity) >= 48 * count(*) and count(distinct invoice) >= 2

-- segment: gift_buyers
select user_id from e where event = 'purchase' and ts > now() - interval 90 day
  and regexp_matches(sku, '^(22585|22584|22583|22582|21498|21500|22077|22082)$|^85049|^16161')
group by user_id having count(*) >= 3

-- segment: wide_range_buyers
select user_id from e where event = 'purchase' and ts > now() - interval 90 day
group by user_id having count(distinct sku) >= 60

-- segment: heart_holder_buyers
select distinct user_id from e where event = 'purchase' and sku = '85123A'

-- segment: overseas_customers
select user_id from e group by user_id having arg_max(country, seq) <> 'United Kingdom'

-- segment: cross_border_customers
select user_id from e group by user_id having count(distinct country) > 1

-- segment: frequent_returners
select user_id from e where event = 'return' and ts > now() - interval 180 day
group by user_id having count(distinct invoice) >= 3

-- segment: heavy_returners
select user_id from e where ts > now() - interval 180 day group by user_id
having sum(amount) filter (event = 'purchase') > 0
  and -sum(amount) filter (event = 'return') > 0.2 * sum(amount) filter (event = 'purchase')

-- segment: left_on_a_return
select user_id from e group by user_id
having max(ts) filter (event = 'return') >= now() - interval 30 day
  and coalesce(max(ts) filter (event = 'purchase') <= max(ts) filter (event = 'return'), true)

-- segment: quick_returners
select distinct back.user_id from e as back join e as bought using (user_id)
where back.event = 'return' and back.ts > now() - interval 90 day
  and bought.event = 'purchase' and bought.seq < back.seq
  and bought.ts >= back.ts - interval 7 day

-- segment: second_order_due
select user_id from purchases where orders = 1
  and first_ts < now() - interval 21 day and first_ts >= now() - interval 60 day

-- segment: recent_big_basket
select user_id from e where event = 'purchase' and ts > now() - interval 3 day
group by user_id having sum(cast(amount as decimal(18, 2))) >= 1000

-- part: gaps
select user_id, seq, ts, event,
  ts - lag(ts) over (partition by user_id order by ts, seq) <= interval 30 minute as continues
from e

-- part: this_session
select user_id, event from (
  select *, max(ts) over (partition by user_id) as last_ts,
    max(case when continues then null else seq end) over (partition by user_id) as began
  from gaps)
where seq >= began and last_ts >= now() - interval 30 minute

-- segment: big_basket_now
select user_id from this_session where event = 'purchase' group by user_id having count(*) >= 40

-- segment: win_back_targets
select user_id from lifecycle join net_1y using (user_id)
where stage in ('lapsing_customers', 'lost_customers') and net >= 1000
  and user_id not in (select user_id from do_not_mail)

-- segment: christmas_shoppers_2009_not_back
select user_id from e where event = 'purchase' group by user_id
having count(*) filter (ts < '2009-12-25') > 0 and count(*) filter (ts >= '2010-09-01') = 0
  and user_id not in (select user_id from do_not_mail)

-- segment: christmas_shoppers_2010
select user_id from e where event = 'purchase' and ts >= '2010-09-01'
  and sku in ('22086', '22910', '22952', '22909', '85049A', '22130', '22595', '22734', '22577', '21098',
              '22940', '85048', '35961', '22578', '22575', '22812', '22602', '22739', '22571', '22600',
              '22737', '22579', '22065', '22601')
group by user_id having count(*) >= 2

-- segment: preview_evening_guests
select user_id from e where user_id in (select user_id from press)
union
select user_id from lifecycle join net_1y using (user_id)
where net >= 5000 and stage in ('active_customers', 'new_customers', 'won_back_customers')
  and user_id not in (select user_id from heavy_returners)
  and user_id not in (select user_id from staff)
