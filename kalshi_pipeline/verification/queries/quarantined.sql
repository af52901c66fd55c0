-- Rows set aside against rows seen, by partition of the loads.
select
    dataset as subject,
    sum(rows + quarantined)::bigint as checked,
    sum(quarantined)::bigint as faulty
from meta.partition_loads
where partition_date between $first_day and $last_day
    and dataset in ('candles', 'quotes', 'trades')
group by all
having sum(rows + quarantined) > 0
order by subject
