//! Recognises installer texts.
