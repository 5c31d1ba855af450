"""States in signs, words and colours; the colours are seen on light and on dark."""

from __future__ import annotations

from typing import Any, Optional

# State: sign, word, colour.
_STATES = {
    'SUCCEEDED': ('✓', 'succeeded', '#1f8a54'),
    'CACHED': ('↺', 'cached', '#0e86a6'),
    'RUNNING': ('▸', 'running', '#2f6fe0'),
    'CANCELING': ('■', 'canceling', '#b06f17'),
    'CANCELED': ('■', 'canceled', '#b06f17'),
    'FAILED': ('✗', 'failed', '#d23a43'),
    'SKIPPED': ('–', 'skipped', '#85858e'),
    'PENDING': ('○', 'pending', '#7a8594'),
}
NEUTRAL = '#7a8594'
# Along a bar, from its left.
ORDER = ('SUCCEEDED', 'CACHED', 'SKIPPED', 'CANCELED', 'FAILED', 'RUNNING', 'PENDING')


def sign(state: Optional[str]) -> str:
    return _STATES[state][0] if state in _STATES else '·'


def word(state: Optional[str]) -> str:
    return _STATES[state][1] if state in _STATES else str(state or '').lower().replace('_', ' ')


def color(state: Optional[str]) -> str:
    return _STATES[state][2] if state in _STATES else NEUTRAL


def duration(seconds: Any) -> str:
    """Time for people; nothing while there is none."""
    if not isinstance(seconds, (int, float)):
        return ''
    if seconds < 100:
        return f'{seconds:.2g} s' if seconds < 1 else f'{seconds:.1f} s'
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours} h {minutes} min' if hours else f'{minutes} min {rest} s'
