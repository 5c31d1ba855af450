//! Threads that read, beside the writer. What was answered before is seen: each question begins a new view.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use ferroflow_ports::{ErrorKind, PortError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::connection::open_reader;
use crate::error::StoreError;

/// Two, so that a long list does not hold up a short question.
const THREADS: usize = 2;

type Question = Box<dyn FnOnce(&mut Desk) + Send>;

/// Handle of the threads; dropping it ends them.
pub(crate) struct Readers {
    questions: Option<mpsc::Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

/// A thread's connection, opened for its first question.
struct Desk {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Desk {
    /// All statements of one question see the same state of the database.
    fn ask<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = match &self.connection {
            Some(connection) => connection,
            None => self.connection.insert(open_reader(&self.path)?),
        };
        connection.prepare_cached("BEGIN")?.execute([])?;
        let result = work(connection);
        connection.prepare_cached("ROLLBACK")?.execute([])?;
        result
    }
}

impl Readers {
    pub(crate) fn start(path: &Path) -> Result<Self, PortError> {
        let (sender, receiver) = mpsc::channel::<Question>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(THREADS);
        for _ in 0..THREADS {
            let receiver = Arc::clone(&receiver);
            let mut desk = Desk { path: path.to_owned(), connection: None };
            let thread = std::thread::Builder::new().name("store-reader".to_owned());
            let thread = thread.spawn(move || {
                while let Some(question) = next(&receiver) {
                    question(&mut desk);
                }
            });
            threads.push(thread.map_err(|error| {
                PortError::new(ErrorKind::ResourceExhausted, "cannot start a thread that reads")
                    .caused_by(error)
            })?);
        }
        Ok(Self { questions: Some(sender), threads })
    }

    /// Asks one question.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PortError> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |desk| {
            // Whoever asked may have gone.
            let _ = reply.send(desk.ask(work).map_err(PortError::from));
        });
        if let Some(questions) = &self.questions {
            let _ = questions.send(question);
        }
        answer.await.unwrap_or_else(|_| {
            Err(PortError::new(ErrorKind::Internal, "the threads that read the database have ended; restart"))
        })
    }
}

fn next(receiver: &Mutex<mpsc::Receiver<Question>>) -> Option<Question> {
    // One thread sleeps in the channel with the lock, the others sleep at the lock.
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.questions.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
