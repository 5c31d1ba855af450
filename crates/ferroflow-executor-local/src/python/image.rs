//! The Python version that an image stands for.

use std::fmt;

/// `3` or `3.11`, from the tag of an official image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageVersion {
    major: u8,
    minor: Option<u8>,
}

impl ImageVersion {
    pub(super) fn fits(self, major: u8, minor: u8) -> bool {
        self.major == major && self.minor.is_none_or(|wanted| wanted == minor)
    }
}

impl fmt::Display for ImageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Whether an image is Python and nothing more, so that another Python of that version does as well.
pub(crate) fn is_plain(image: &str) -> bool {
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name.split_once(':').map_or(name, |(name, _tag)| name);
    // `python-311` of Red Hat's images.
    let rest = name.strip_prefix("python").map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The version of an image named `python`, wherever it comes from; `None` for other images and other tags.
pub(super) fn python_version(image: &str) -> Option<ImageVersion> {
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    let name = image.rsplit('/').next()?;
    let tag = name.strip_prefix("python:")?;
    let mut numbers = tag.split('-').next()?.split('.');
    let major = numbers.next()?.parse().ok()?;
    Some(ImageVersion { major, minor: numbers.next().and_then(|minor| minor.parse().ok()) })
}
