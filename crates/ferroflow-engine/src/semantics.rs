//! Where KFP has two faces, which of them a run shows.
//!
//! The default is decided in ADR 0011 of the repository; each [`Switch`] turns one of them to the other face. They are
//! part of a run's settings, so that a run goes on as it began, whatever the server is told later.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

macro_rules! switches {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)*) => {
        /// The other face of one decision.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Switch { $($(#[doc = $doc])+ $variant,)* }

        impl Switch {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as in `flat-collected`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

switches! {
    /// Parameters collected over nested loops are one flat list, as KFP's backend makes them.
    FlatCollected = "flat-collected",
    /// User code reads metadata as it comes back from ML Metadata: 0 or 1 for booleans, lists and maps wrapped.
    WrappedMetadata = "wrapped-metadata",
    /// `PipelineTaskFinalStatus.state` says `SUCCEEDED`, as the SDK's texts promise, not `COMPLETE`.
    SdkFinalStatus = "sdk-final-status",
    /// A failed exit task does not fail its run.
    ExitFailuresPass = "exit-failures-pass",
    /// Tasks that run whatever happened before them do not run behind tasks that were skipped.
    SkippedBlocksExit = "skipped-blocks-exit",
    /// A task that gives null as an output has failed.
    NullOutputsFail = "null-outputs-fail",
    /// Variables of the environment are part of the cache key.
    EnvironmentInCacheKey = "environment-in-cache-key",
    /// The log is no part of the cache key, as where KFP does not publish logs.
    NoLogInCacheKey = "no-log-in-cache-key",
    /// Results are taken over also when their artifacts are gone.
    UnverifiedHits = "unverified-hits",
    /// Importers take what they are given for a URI, whatever it is.
    LenientImporters = "lenient-importers",
    /// A terminated run ends as CANCELED. Clients of KFP wait for ever on it.
    TerminatedIsCanceled = "terminated-is-canceled",
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no switch of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no switch; there are {all}", all = Switch::ALL.iter().map(|switch| switch.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownSwitch(String);

impl FromStr for Switch {
    type Err = UnknownSwitch;

    fn from_str(name: &str) -> Result<Self, UnknownSwitch> {
        let found = Self::ALL.iter().find(|switch| switch.name() == name);
        found.copied().ok_or_else(|| UnknownSwitch(name.to_owned()))
    }
}

/// Time that exit tasks have, unless somebody says otherwise.
const EXIT_GRACE: Duration = Duration::from_mins(1);

/// How a run behaves where that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Semantics {
    /// Time that exit tasks have from the moment a run is ended from outside; none means that they do not run then.
    pub exit_grace: Duration,
    /// Text that enters every cache key, so that results are shared only between those who have the same. Empty for
    /// KFP's own keys.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cache_scope: String,
    /// What is turned to the other face.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub switches: BTreeSet<Switch>,
}

impl Default for Semantics {
    fn default() -> Self {
        Self { exit_grace: EXIT_GRACE, cache_scope: String::new(), switches: BTreeSet::new() }
    }
}

impl Semantics {
    /// Whether this is turned to the other face.
    pub fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_have_one_name_everywhere() {
        for switch in Switch::ALL {
            assert_eq!(switch.name().parse(), Ok(*switch));
            assert_eq!(serde_json::to_value(switch).unwrap(), switch.name());
        }
        let error = "flat".parse::<Switch>().unwrap_err().to_string();
        assert!(error.starts_with("`flat` is no switch; there are flat-collected, "), "{error}");
    }
}
