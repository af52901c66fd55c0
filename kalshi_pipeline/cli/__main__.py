"""``python -m kalshi_pipeline.cli``: the command where no console script is installed."""

from kalshi_pipeline.cli.app import main

if __name__ == "__main__":
    main()
