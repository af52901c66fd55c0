-- depends_on: {{ ref('markets') }}
-- depends_on: {{ ref('candles') }}
{{ config(post_hook='{{ create_decision_times_between() }}') }}

{{ decision_times(
    ref('markets'),
    ref('candles'),
    health_since(),
    '(select max(partition_date) from (' ~ health_days() ~ '))'
) }}
