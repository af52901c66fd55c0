-- Applied migrations against those of the code ($target of them). One row.
select
    'schema' as subject,
    greatest(count(*), $target) as checked,
    abs($target - count(*)) as faulty
from meta.schema_version
