"""Artifacts as far as a notebook can show them: text, pictures, and pages that can do nothing."""

from __future__ import annotations

import base64
from html import escape
from typing import Optional

MOST_BYTES = 256 * 1024
MOST_ARTIFACTS = 6
_MOST_LINES = 40
_MOST_TEXT = 4000
# Types whose content is shown elsewhere, or is nothing for eyes.
SKIPPED = ('system.Metrics', 'system.ClassificationMetrics', 'system.SlicedClassificationMetrics', 'system.Model')
_PICTURES = ((b'\x89PNG\r\n\x1a\n', 'image/png'), (b'\xff\xd8\xff', 'image/jpeg'), (b'GIF8', 'image/gif'))
_NOTHING_LOADED = ('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
                   'style-src \'unsafe-inline\'; img-src data:">')


def preview(title: str, kind: str, content: bytes) -> Optional[str]:
    """An artifact of which at most one byte more than `MOST_BYTES` was read; None if there is nothing to see."""
    shown = _shown(title, kind, content)
    if shown is None:
        return None
    return f'<details><summary>{escape(title)}</summary>{shown}</details>'


def _shown(title: str, kind: str, content: bytes) -> Optional[str]:
    is_whole = len(content) <= MOST_BYTES
    for begin, media_type in _PICTURES:
        if content.startswith(begin):
            data = base64.b64encode(content).decode()
            return (f'<img alt="{escape(title)}" src="data:{media_type};base64,{data}" style="max-width:100%">'
                    if is_whole else None)
    try:
        # What was cut may end within a sign.
        text = content.decode() if is_whole else content[:MOST_BYTES - 4].decode(errors='ignore')
    except UnicodeDecodeError:
        return None
    if not text.strip() or '\0' in text:
        return None
    if kind == 'system.HTML':
        return (f'<iframe sandbox="" title="{escape(title)}" srcdoc="{escape(_NOTHING_LOADED + text)}" '
                'style="width:100%;height:20em;border:1px solid #7a8594;background:#fff"></iframe>' if is_whole else None)
    lines = text[:_MOST_TEXT].splitlines()[:_MOST_LINES]
    more = '' if is_whole and len(text) <= _MOST_TEXT and len(text.splitlines()) <= _MOST_LINES else '\n…'
    return ('<pre style="margin:4px 0;padding:6px 10px;max-height:18em;overflow:auto;font-size:12px;'
            f'border-left:3px solid #7a8594">{escape(chr(10).join(lines) + more)}</pre>')
