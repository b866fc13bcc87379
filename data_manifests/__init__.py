"""The corpora: a folder each, the domain behind them, and the recipes that make them."""
