"""A simulated world: everything follows from a seed, every event from its own key, no state between requests.

Here: which series exist (``catalogue``), when things happen (``schedule``), what happens (``outcomes``), what traders
believe (``beliefs``), how they quote and trade (``books``), and the world that holds it together (``world``). Beliefs
come from forecasters of their own kind; nothing here knows how distributions are repaired or their tails closed.
"""

from kalshi_pipeline.sandbox.simulated.world import SimulatedWorld

__all__ = ["SimulatedWorld"]
