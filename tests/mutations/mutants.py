"""Faults put into the code on purpose, each with the row of ``docs/requirements.md`` it breaks and the test for it.

A mutant is a piece of source that stands once in its file, and what is put in its place. Not here: running them
(``test_mutants``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        row: row of the requirements that it breaks.
        module: file below the package.
        old, new: what stands there, and what stands there instead.
        test: the test that has to turn red, as ``unit/test_x.py::test_y``.
    """

    row: str
    module: str
    old: str
    new: str
    test: str

    def __str__(self) -> str:
        return f"{self.row}-{self.test.partition('::test_')[2][:40]}"


GATES, FOLDS, EXECUTOR = (
    "unit/test_distributions_gates.py",
    "unit/test_research_folds.py",
    "unit/test_trading_executor.py",
)

MUTANTS = (
    Mutant(
        "1.2",
        "distributions/gates.py",
        "inputs.coverage < rules.min_coverage - noise",
        "inputs.coverage < 0.5 - noise",
        f"{GATES}::test_coverage_of_eighty_in_a_hundred_passes_and_of_seventy_nine_fails",
    ),
    Mutant(
        "1.3",
        "distributions/gates.py",
        "inputs.median_age > inputs.cutoff + age_noise",
        "inputs.median_age >= inputs.cutoff",
        f"{GATES}::test_age_at_the_cutoff_passes_and_above_it_fails",
    ),
    Mutant(
        "1.4",
        "distributions/gates.py",
        "inputs.median_spread >= rules.max_spread - noise",
        "inputs.median_spread > rules.max_spread + noise",
        f"{GATES}::test_a_median_spread_of_a_quarter_fails_and_just_less_passes",
    ),
    Mutant(
        "1.12",
        "research/fold_rules.py",
        "return max(1, self.embargo_events)",
        "return self.embargo_events",
        f"{FOLDS}::test_no_role_overlaps_and_no_gap_is_shorter_than_planned",
    ),
    Mutant(
        "1.20",
        "warehouse/migrations/__init__.py",
        "if versions != list(range(1, len(found) + 1)):",
        "if versions != sorted(versions):",
        "unit/test_warehouse_migrations.py::test_misnumbered_files_are_refused",
    ),
    Mutant(
        "1.37",
        "trading/fees.py",
        "rounding=ROUND_CEILING",
        'rounding="ROUND_HALF_UP"',
        "unit/test_trading_backtest.py::test_a_fee_is_the_formula_rounded_up_to_the_cent",
    ),
    Mutant(
        "1.47",
        "exchange/wire.py",
        "return Decimal(bare).scaleb(-2)",
        "return Decimal(bare)",
        "unit/test_exchange_records.py::test_cents_and_dollars_are_the_same_price",
    ),
    Mutant(
        "13.1",
        "ladders/wording.py",
        '("greater_or_equal", rf"{_NOT}(?:{_LESS})")',
        '("less", rf"{_NOT}(?:{_LESS})")',
        "unit/test_ladders_wording.py::test_payoffs_are_read_from_words",
    ),
    Mutant(
        "38.3",
        "research/folds.py",
        "pool.learned_at[candidates] + pool.purge <= instant",
        "pool.learned_at[candidates] <= instant",
        f"{FOLDS}::test_the_purge_counts_from_the_first_features_of_the_test_block_not_from_its_release",
    ),
    Mutant(
        "Q.12",
        "distributions/quality.py",
        "np.exp(-median_age_seconds / _AGE_SCALE)",
        "np.exp(-median_age_seconds / (2 * _AGE_SCALE))",
        "unit/test_distributions_quality.py::test_the_quality_score_is_the_weighted_sum_of_its_stored_components",
    ),
    Mutant(
        "Q.14",
        "distributions/stale.py",
        "near_age + along * (far_age - near_age)",
        "near_age + far_age - near_age",
        "unit/test_distributions_quality.py::test_the_schedule",
    ),
    Mutant(
        "Q.18",
        "research/horizons.py",
        'instants(ladders, "anchor_ts")[:, None] - minutes',
        'instants(ladders, "close_time")[:, None] - minutes',
        "unit/test_research_horizons.py::test_the_instants_are_those_found_one_by_one",
    ),
    Mutant(
        "Q.21",
        "research/labels.py",
        '(("first_print", first), ("latest", latest))',
        '(("latest", latest), ("first_print", first))',
        "unit/test_research_labels.py::test_the_label_is_the_first_print_and_revisions_stand_beside_it",
    ),
    Mutant(
        "2.3",
        "warehouse/migrations/__init__.py",
        "if current < target:\n        raise WarehouseOutdated(",
        "if current < 0:\n        raise WarehouseOutdated(",
        "unit/test_warehouse_resource.py::test_an_older_file_says_run_migrate",
    ),
    Mutant(
        "2.14",
        "trading/orders/executor.py",
        "self._live = live is True",
        "self._live = bool(live)",
        f"{EXECUTOR}::test_only_true_itself_makes_an_executor_live",
    ),
    Mutant(
        "2.14",
        "trading/orders/executor.py",
        "if stopped := self._kill_switch.objection():",
        "if (stopped := self._kill_switch.objection()) and not self._live:",
        f"{EXECUTOR}::test_the_kill_switch_stops_orders_and_lets_cancels_pass",
    ),
    Mutant(
        "2.14",
        "trading/orders/limits.py",
        "if distance > limits.fat_finger:",
        "if distance >= limits.fat_finger:",
        f"{EXECUTOR}::test_what_is_at_a_limit_passes_and_what_is_over_does_not",
    ),
    Mutant(
        "2.14",
        "trading/orders/gate.py",
        "if url.host not in _HOSTS[self.environment]:",
        "if not url.host:",
        f"{EXECUTOR}::test_a_closed_environment_lets_neither_orders_nor_cancels_pass",
    ),
    Mutant(
        "2.15",
        "trading/orders/limits.py",
        "if account.equity is None or used.day_opened_at is None:\n        return [",
        "if account.equity is None or used.day_opened_at is None:\n        return [] and [",
        f"{EXECUTOR}::test_an_account_that_lacks_something_refuses_the_order",
    ),
    Mutant(
        "3.21",
        "exchange/wire.py",
        "if moment.tzinfo is None else moment.astimezone(UTC)",
        "if moment.tzinfo is None else moment.replace(tzinfo=UTC)",
        "unit/test_exchange_records.py::test_times_are_utc_and_year_one_is_no_time",
    ),
    Mutant(
        "3.24",
        "cli/ticks.py",
        "due = next_tick(now - timedelta(microseconds=1), interval)",
        "due = now + interval",
        "unit/test_ticks.py::test_long_snapshots_do_not_make_the_ticks_drift",
    ),
    Mutant(
        "3.32",
        "exchange/retrying.py",
        "min(error.retry_after or 0.0, self.longest_retry_after)",
        "(error.retry_after or 0.0)",
        "unit/test_exchange_retrying.py::test_retry_after_is_honoured_and_capped",
    ),
    Mutant(
        "4.3",
        "exchange/errors.py",
        "if status == 404:",
        "if status == 410:",
        "unit/test_exchange_errors.py::test_every_status_has_its_kind",
    ),
    Mutant(
        "4.10",
        "exchange/retrying.py",
        "return self._failures >= self._threshold",
        "return False",
        "unit/test_exchange_retrying.py::test_the_breaker_opens_after_failures_in_a_row_and_says_so",
    ),
    Mutant(
        "4.13",
        "settings.py",
        "@dataclass(frozen=True)\nclass Settings:",
        "@dataclass\nclass Settings:",
        "unit/test_settings.py::test_settings_do_not_change_after_they_are_made",
    ),
    Mutant(
        "4.14",
        "exchange/transport.py",
        'headers={"X-Request-Id": request_id}',
        'headers={"X-Request-Id": self._session}',
        "unit/test_exchange_client.py::test_requests_are_get_in_english_with_an_identifier_each",
    ),
    Mutant(
        "4.17",
        "exchange/pagination.py",
        "if not cursor:",
        "if cursor is None:",
        "unit/test_exchange_client.py::test_a_list_ends_with_an_empty_cursor_and_not_with_a_short_or_empty_page",
    ),
    Mutant(
        "5.2",
        "trading/backtest/decisions.py",
        "DECISION_TIME, zone).astimezone(UTC)",
        "DECISION_TIME, UTC)",
        "unit/test_trading_backtest.py::test_decisions_are_at_ten_on_the_clock_across_the_switches",
    ),
    Mutant(
        "5.6",
        "verification/measures.py",
        "return share < self.limit if self.below",
        "return share <= self.limit if self.below",
        "unit/test_verification.py::test_crossed_quotes_have_to_stay_below_a_tenth_of_a_percent",
    ),
    Mutant(
        "5.9",
        "trading/backtest/fills.py",
        "/ 2**64 < probability",
        "/ 2**64 < probability**2",
        "unit/test_trading_backtest.py::test_fills_are_a_seeded_share_of_the_decisions",
    ),
    Mutant(
        "5.21",
        "exchange/bucket.py",
        "content.share = max(content.share / 2, self.floor / self.rate)",
        "content.share = max(content.share, self.floor / self.rate)",
        "unit/test_exchange_pacing.py::test_a_refusal_halves_the_rate_and_empties_the_bucket",
    ),
    Mutant(
        "5.24",
        "trading/backtest/simulate.py",
        'return Result(candidate, "priced", "no_edge")',
        'return Result(candidate, "priced", None)',
        "unit/test_trading_backtest.py::test_the_funnel_explains_every_candidate_that_is_no_trade",
    ),
    Mutant(
        "5.27",
        "ladders/grid.py",
        'strict=strike_type == "greater")',
        "strict=False)",
        "unit/test_ladders_payoffs.py::test_every_grid_point_is_inside_the_interval_iff_the_exact_comparison_says_yes",
    ),
    Mutant(
        "5.29",
        "verification/queries/unique_bars.sql",
        "select 'candles' as subject",
        "delete from marts.candles; select 'candles' as subject",
        "unit/test_verification.py::test_verification_changes_nothing",
    ),
)
