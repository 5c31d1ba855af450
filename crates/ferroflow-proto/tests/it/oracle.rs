//! Every message of the API, through binary and JSON, as prost-reflect reads and writes them.

use std::collections::BTreeSet;
use std::fmt::Debug;

use ferroflow_proto::{rpc, v2beta1};
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sample::samples;
use crate::{API, pool};

/// A message as JSON with the names of the proto files.
fn judged(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}

fn check<T: Message + Default + PartialEq + Debug + Serialize + DeserializeOwned>(shape: &MessageDescriptor) {
    let name = shape.full_name();
    for sample in std::iter::once(DynamicMessage::new(shape.clone())).chain(samples(shape)) {
        let typed = T::decode(sample.encode_to_vec().as_slice()).unwrap();
        let back = DynamicMessage::decode(shape.clone(), typed.encode_to_vec().as_slice()).unwrap();
        assert_eq!(judged(&back), judged(&sample), "{name} in binary form");
        let json = serde_json::to_value(&typed).unwrap();
        assert_eq!(json, judged(&sample), "{name} as JSON");
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), typed, "{name} from JSON with proto names");
        let camel = serde_json::to_value(&sample).unwrap();
        assert_eq!(serde_json::from_value::<T>(camel).unwrap(), typed, "{name} from JSON with camel names");
    }
}

/// Checks the listed messages, and that no message of the package is missing in the list.
macro_rules! check_all {
    ($module:ident, $package:expr, [$($name:ident),* $(,)?]) => {{
        let pool = pool();
        let listed = BTreeSet::from([$(format!("{}.{}", $package, stringify!($name))),*]);
        let all = pool.all_messages().filter(|message| message.package_name() == $package);
        let top: BTreeSet<String> =
            all.filter(|message| message.parent_message().is_none()).map(|message| message.full_name().to_owned()).collect();
        assert_eq!(listed, top);
        $(check::<$module::$name>(&pool.get_message_by_name(&format!("{}.{}", $package, stringify!($name))).unwrap());)*
    }};
}

#[test]
fn errors_are_what_their_descriptors_say() {
    check_all!(rpc, "google.rpc", [Status]);
}

#[test]
fn messages_of_the_api_are_what_their_descriptors_say() {
    check_all!(
        v2beta1,
        API,
        [
            ArchiveExperimentRequest,
            ArchiveRunRequest,
            ArtifactList,
            AuthorizeRequest,
            CreateExperimentRequest,
            CreatePipelineAndVersionRequest,
            CreatePipelineRequest,
            CreatePipelineVersionRequest,
            CreateRecurringRunRequest,
            CreateRunRequest,
            CreateVisualizationRequest,
            CronSchedule,
            DeleteExperimentRequest,
            DeletePipelineRequest,
            DeletePipelineVersionRequest,
            DeleteRecurringRunRequest,
            DeleteRunRequest,
            DisableRecurringRunRequest,
            EnableRecurringRunRequest,
            Experiment,
            Filter,
            GetExperimentRequest,
            GetHealthzResponse,
            GetPipelineByNameRequest,
            GetPipelineRequest,
            GetPipelineVersionRequest,
            GetRecurringRunRequest,
            GetRunRequest,
            ListExperimentsRequest,
            ListExperimentsResponse,
            ListPipelineVersionsRequest,
            ListPipelineVersionsResponse,
            ListPipelinesRequest,
            ListPipelinesResponse,
            ListRecurringRunsRequest,
            ListRecurringRunsResponse,
            ListRunsRequest,
            ListRunsResponse,
            MetadataValue,
            PeriodicSchedule,
            Pipeline,
            PipelineTaskDetail,
            PipelineTaskExecutorDetail,
            PipelineVersion,
            PipelineVersionReference,
            PluginOutput,
            Predicate,
            RecurringRun,
            ReportScheduledWorkflowRequest,
            ReportWorkflowRequest,
            RetryRunRequest,
            Run,
            RunDetails,
            RuntimeConfig,
            RuntimeStatus,
            TerminateRunRequest,
            Trigger,
            UnarchiveExperimentRequest,
            UnarchiveRunRequest,
            UpdatePipelineRequest,
            UpdatePipelineVersionRequest,
            Url,
            Visualization,
        ]
    );
}
