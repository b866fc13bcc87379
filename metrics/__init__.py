"""Everything that measures: one module a family, and the instruments that they share.

Families: `latency`, `turn_taking`, `task`, `intelligibility`, `paralinguistics`, `prosody`,
`quality`. Shared: `turns` (what the system did about each turn), `text` and `numerals` (how words
are compared), `signal` (features of an utterance), `tools` (judge ASR, DNSMOS, features).
"""
