"""The canary: a job that holds the exchange against its contract before an ingestion stumbles over a change."""

import dagster as dg

from kalshi_pipeline.defs.metadata import counts
from kalshi_pipeline.defs.resources import Exchange
from kalshi_pipeline.exchange.probes import probe
from kalshi_pipeline.settings import Settings


@dg.op(description="Ask the exchange a little of everything and hold the answers against what the pipeline relies on.")
def probe_exchange(
    context: dg.OpExecutionContext, exchange: dg.ResourceParam[Exchange], settings: dg.ResourceParam[Settings]
) -> None:
    """Probe the exchange of the settings.

    Raises:
        Failure: a probe failed, or the exchange is remote and nobody has allowed it.
    """
    if not may_probe(settings):
        raise dg.Failure(NOT_ALLOWED)
    findings = probe(exchange.client, exchange.universe[0])
    for finding in findings:
        context.log.info(f"{finding.name}: {finding.fault or 'as agreed'}")
    faults = {finding.name: finding.fault for finding in findings if finding.fault}
    done = exchange.client.statistics
    context.add_output_metadata(
        counts({"probes": len(findings), "failed": len(faults), "requests": done.requests, "retries": done.retries})
    )
    if faults:
        said = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        raise dg.Failure(f"{len(faults)} of {len(findings)} probes of {settings.source} failed: {said}")


NOT_ALLOWED = "The canary asks a remote exchange only where KALSHI_RUN_LIVE_API=1 is set."


def may_probe(settings: Settings) -> bool:
    """Whether the canary may ask the exchange of these settings: an embedded one always, a remote one when allowed."""
    return settings.source.embedded or settings.run_live_api


@dg.job(
    name="canary",
    description="The exchange held against its contract: shapes, limits, refusals, both tiers.",
)
def canary_job() -> None:
    """One step: the probes."""
    probe_exchange()
