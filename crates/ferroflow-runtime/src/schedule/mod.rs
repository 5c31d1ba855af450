//! Makes the runs of schedules when it is time for them.
//!
//! A task of its own beside the loop: it knows when each enabled schedule is due, sleeps until the first of them is, and
//! submits runs like any client. The loop knows nothing of it. Without an enabled schedule it waits for news only.
//!
//! Nothing is remembered here that the store does not know: the run and the note that it was made are committed
//! together, so a restart makes no run twice and leaves none out. Slots that were missed follow one after another.
//!
//! Begin with [`Scheduler`], then `clockwork`, which decides what to do when, and `firing`, which makes one run.

mod clockwork;
mod entry;
mod firing;

use std::sync::Arc;

use ferroflow_engine::schedule::{Schedule, Zone};
use ferroflow_model::recurring::Trigger;
use ferroflow_model::{RecurringRunId, Timestamp};
use ferroflow_ports::{Clock, ErrorKind, PortError, ScheduleControl, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::handle::Runtime;
use clockwork::Clockwork;
use firing::Desk;

/// What schedules stand on.
#[derive(Clone)]
pub struct SchedulerPorts {
    /// Keeps records.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Runs the runs.
    pub runtime: Arc<Runtime>,
}

/// What is said to the clockwork.
enum Message {
    LookAt(RecurringRunId),
    Settle(oneshot::Sender<()>),
}

/// Fires schedules until it is stopped or dropped. Stop it before the runtime is shut down.
pub struct Scheduler {
    messages: mpsc::UnboundedSender<Message>,
    task: JoinHandle<()>,
}

/// What schedules that do not say so themselves are taken to mean.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Time zone of cron expressions.
    pub zone: Zone,
    /// Service account of runs.
    pub service_account: String,
}

impl Scheduler {
    /// Takes up all enabled schedules and begins; what was missed is made up for as each of them says. Must be
    /// called inside a tokio runtime with timers.
    pub fn start(ports: SchedulerPorts, options: SchedulerOptions) -> Arc<Self> {
        let (messages, inbox) = mpsc::unbounded_channel();
        let clockwork = Clockwork::new(Arc::new(Desk::new(ports, options)), inbox);
        Arc::new(Self { messages, task: tokio::spawn(clockwork.run()) })
    }

    /// Makes no more runs. What is being stored at this moment is stored, or not, as a whole.
    pub fn stop(&self) {
        self.task.abort();
    }

    /// Looks at the clock now, and returns when everything that is due has been fired, has failed, or waits for runs
    /// that are alive. For whoever has moved the clock.
    pub async fn settle(&self) {
        let (reply, settled) = oneshot::channel();
        if self.messages.send(Message::Settle(reply)).is_ok() {
            let _ = settled.await;
        }
    }
}

impl ScheduleControl for Scheduler {
    fn check(&self, trigger: &Trigger) -> Result<(), PortError> {
        let understood = Schedule::new(trigger, Timestamp::default(), true, &Zone::UTC);
        understood.map(drop).map_err(|error| PortError::new(ErrorKind::InvalidArgument, error.to_string()))
    }

    fn look_at(&self, id: RecurringRunId) {
        let _ = self.messages.send(Message::LookAt(id));
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.stop();
    }
}
