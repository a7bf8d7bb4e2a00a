//! The writer thread, with the only writing connection. It runs waiting operations in one transaction, commits once,
//! then answers each. When one fails half-way, all run again, with a savepoint each; when it met a damaged index, after
//! that is built anew.
//!
//! Never answers before the commit, and never retries a failed commit: after a failed sync the content of the disk is
//! unknown, so the connection is opened anew.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::catalogue_file::CatalogueFile;
use super::connection::{open_for_writing, use_write_ahead_log};
use super::failure::{Failure, sql_error};
use super::file_identity::FileIdentity;
use super::index::mend_all;
use super::known_policy::KnownPolicy;
use super::noted::Noted;
use super::subscribers::Subscribers;
use super::transaction::{InternedIds, PendingEvents, Transaction};
use crate::store::error::{Result, StoreError};

/// At most so many operations wait, and at most so many share one transaction.
pub(super) const MAX_BATCH: usize = 1024;

/// One queued operation.
pub(super) trait Job: Send {
    /// Runs the operation; called again when the transaction was rolled back.
    fn run(&mut self, transaction: &Transaction<'_>) -> std::result::Result<(), Failure>;
    /// Sends the outcome to the caller; the value of [`Job::run`] goes with `Ok`.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

/// Returns an operation as a job, with the receiver of its answer.
pub(super) fn job<T, F>(operation: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: FnMut(&Transaction<'_>) -> std::result::Result<T, Failure> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let operation = Operation {
        run: operation,
        value: None,
        reply,
    };
    (Box::new(operation), answer)
}

struct Operation<T, F> {
    run: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Operation<T, F>
where
    T: Send,
    F: FnMut(&Transaction<'_>) -> std::result::Result<T, Failure> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> std::result::Result<(), Failure> {
        self.value = Some((self.run)(transaction)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let value = self.value;
        // The receiver is gone when the caller was cancelled; the commit stands.
        let _ = self
            .reply
            .send(outcome.map(|()| value.expect("a job that went well has a value")));
    }
}

/// An operation that was run, with its outcome.
type Done = (Box<dyn Job>, Result<()>);

/// The state of the writer thread.
pub(super) struct Writer {
    file: CatalogueFile,
    /// The identity of the file when it was opened.
    identity: FileIdentity,
    /// `None` after a failed commit, until the next operation.
    connection: Option<Connection>,
    ids: InternedIds,
    policy: KnownPolicy,
    events: PendingEvents,
    jobs: mpsc::Receiver<Box<dyn Job>>,
    subscribers: Subscribers,
    noted: Arc<Noted>,
}

impl Writer {
    pub(super) fn new(
        file: CatalogueFile,
        (connection, identity): (Connection, FileIdentity),
        jobs: mpsc::Receiver<Box<dyn Job>>,
        subscribers: Subscribers,
        noted: Arc<Noted>,
    ) -> Self {
        Self {
            file,
            identity,
            connection: Some(connection),
            ids: InternedIds::default(),
            policy: KnownPolicy::default(),
            events: PendingEvents::default(),
            jobs,
            subscribers,
            noted,
        }
    }

    /// Runs until every sender is gone and the queue is empty.
    pub(super) fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let mut batch = VecDeque::from([first]);
            while batch.len() < MAX_BATCH
                && let Ok(job) = self.jobs.try_recv()
            {
                batch.push_back(job);
            }
            self.work_off(batch);
        }
    }

    fn work_off(&mut self, mut batch: VecDeque<Box<dyn Job>>) {
        let connection = match self.check_file().and_then(|()| self.connection()) {
            Ok(connection) => connection,
            Err(error) => return answer_all(batch, &error),
        };
        let mut usable = true;
        while usable && !batch.is_empty() {
            usable = self.commit_together(&connection, &mut batch);
        }
        if usable {
            self.connection = Some(connection);
        }
    }

    fn check_file(&self) -> Result<()> {
        self.identity.check(&self.file)
    }

    /// Takes the connection, or opens one after a failed commit.
    fn connection(&mut self) -> Result<Connection> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let connection = open_for_writing(&self.file)?;
        // The file was the same before this was opened, too.
        self.check_file()?;
        use_write_ahead_log(&connection).map_err(|error| sql_error(&error, &self.file))?;
        Ok(connection)
    }

    /// Runs and answers the waiting operations in one transaction; leaves the rest waiting when SQLite rolls it back.
    /// Returns whether the connection is still usable; if it is not, every operation has been answered.
    fn commit_together(
        &self,
        connection: &Connection,
        waiting: &mut VecDeque<Box<dyn Job>>,
    ) -> bool {
        let Some(done) = self.run_all(connection, waiting) else {
            return connection.is_autocommit();
        };
        if let Err(error) = run_sql(connection, "COMMIT") {
            // A failed rollback is harmless: the connection is dropped.
            let _ = run_sql(connection, "ROLLBACK");
            self.ids.forget();
            self.policy.forget();
            let error = sql_error(&error, &self.file);
            answer_all(done.into_iter().map(|(job, _)| job), &error);
            return false;
        }
        // Commits to a file that was replaced just before are lost.
        if let Err(error) = self.check_file() {
            answer_all(done.into_iter().map(|(job, _)| job), &error);
            return false;
        }
        let events = self.events.take();
        self.subscribers.expect(&events);
        for (job, outcome) in done {
            job.answer(outcome);
        }
        self.subscribers.tell(events);
        true
    }

    /// Runs the waiting operations and leaves the transaction open; `None` when there is nothing to commit.
    fn run_all(
        &self,
        connection: &Connection,
        waiting: &mut VecDeque<Box<dyn Job>>,
    ) -> Option<Vec<Done>> {
        self.begin(connection, waiting)?;
        if let Some(done) = self.run_together(connection, waiting) {
            return Some(done);
        }
        if waiting.is_empty() {
            return None;
        }
        self.begin(connection, waiting)?;
        self.run_apart(connection, waiting)
    }

    /// Begins a transaction; a failure is the answer to every waiting operation.
    fn begin(&self, connection: &Connection, waiting: &mut VecDeque<Box<dyn Job>>) -> Option<()> {
        self.events.borrow_mut().clear();
        let begun = run_sql(connection, "BEGIN IMMEDIATE");
        if let Err(error) = &begun {
            answer_all(waiting.drain(..), &sql_error(error, &self.file));
        }
        begun.ok()
    }

    /// Runs all waiting operations. One that is refused before any change fails alone. After another failure everything
    /// is rolled back and waits again; a single operation is answered. Savepoints would cost a tenth of a pass.
    fn run_together(
        &self,
        connection: &Connection,
        waiting: &mut VecDeque<Box<dyn Job>>,
    ) -> Option<Vec<Done>> {
        let transaction = Transaction::new(connection, &self.ids, &self.policy, &self.events);
        let mut outcomes = Vec::with_capacity(waiting.len());
        for job in waiting.iter_mut() {
            let changes = connection.total_changes();
            let outcome = job.run(&transaction);
            let is_whole = match &outcome {
                Ok(()) => true,
                Err(Failure::Refused(_)) => connection.total_changes() == changes,
                // SQLite's counter need not show the changes of a statement that failed.
                Err(Failure::Sql(_)) => false,
            };
            if !is_whole || connection.is_autocommit() {
                // SQLite may have rolled back already; the caller checks.
                let _ = run_sql(connection, "ROLLBACK");
                self.ids.forget();
                self.policy.forget();
                if let Err(failure) = outcome
                    && !(failure.is_malformed() && self.mend_indexes(connection))
                    && waiting.len() == 1
                {
                    answer_all(waiting.drain(..), &failure.of(&self.file));
                }
                return None;
            }
            outcomes.push(outcome.map_err(|failure| failure.of(&self.file)));
        }
        Some(waiting.drain(..).zip(outcomes).collect())
    }

    /// Builds damaged indexes anew after an operation met one. Returns whether there was any: the operation runs again.
    fn mend_indexes(&self, connection: &Connection) -> bool {
        if self.noted.is_mending_vain() || run_sql(connection, "BEGIN IMMEDIATE").is_err() {
            return false;
        }
        let mended = mend_all(connection).unwrap_or_default();
        if run_sql(connection, "COMMIT").is_err() {
            let _ = run_sql(connection, "ROLLBACK");
            return false;
        }
        self.noted.add_mended(mended)
    }

    /// Runs the waiting operations with a savepoint each: a failure undoes that operation only. Returns `None`, with
    /// every operation answered, when SQLite rolls the transaction back.
    fn run_apart(
        &self,
        connection: &Connection,
        waiting: &mut VecDeque<Box<dyn Job>>,
    ) -> Option<Vec<Done>> {
        let mut done = Vec::with_capacity(waiting.len());
        while let Some(mut job) = waiting.pop_front() {
            let outcome = self.run_alone(connection, job.as_mut());
            // A full disk or an I/O error may roll back the whole transaction.
            let lost = connection.is_autocommit();
            let error = outcome.as_ref().err().cloned();
            done.push((job, outcome));
            if lost {
                let error = error.unwrap_or_else(|| self.file.failed("the transaction was lost"));
                answer_all(done.into_iter().map(|(job, _)| job), &error);
                return None;
            }
        }
        Some(done)
    }

    /// Runs one operation in a savepoint: its failure undoes that operation only.
    fn run_alone(&self, connection: &Connection, job: &mut dyn Job) -> Result<()> {
        let transaction = Transaction::new(connection, &self.ids, &self.policy, &self.events);
        let events_before = self.events.borrow().len();
        let outcome = run_sql(connection, "SAVEPOINT job")
            .map_err(Failure::from)
            .and_then(|()| job.run(&transaction))
            .and_then(|()| Ok(run_sql(connection, "RELEASE job")?));
        let Err(failure) = outcome else {
            return Ok(());
        };
        self.ids.forget();
        self.policy.forget();
        self.events.borrow_mut().truncate(events_before);
        if !connection.is_autocommit() {
            let undone = run_sql(connection, "ROLLBACK TO job")
                .and_then(|()| run_sql(connection, "RELEASE job"));
            if undone.is_err() {
                // The caller sees that the transaction ended, and fails all of its operations.
                let _ = run_sql(connection, "ROLLBACK");
            }
        }
        Err(failure.of(&self.file))
    }
}

fn answer_all(jobs: impl IntoIterator<Item = Box<dyn Job>>, error: &StoreError) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}

fn run_sql(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::sqlite::Store;

    /// Writes a text of so many bytes, with the number of pages that the disk has room for.
    fn write(bytes: usize) -> impl Fn(&Transaction<'_>) -> std::result::Result<i64, Failure> {
        move |transaction| Ok(transaction.text_id(&"x".repeat(bytes))?)
    }

    fn limit_pages(limit: i64) -> impl Fn(&Transaction<'_>) -> std::result::Result<i64, Failure> {
        move |transaction| {
            let sql = format!("PRAGMA max_page_count = {limit}");
            Ok(transaction.sql.query_row(&sql, [], |row| row.get(0))?)
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_works_again_when_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        let store = Store::open(&path).expect("a store");
        // Fewer pages than exist: SQLite takes the existing number as the limit.
        store.write(limit_pages(1)).await.expect("a limit");
        let (small, large, other) = tokio::join!(
            store.write(write(10)),
            store.write(write(100_000)),
            store.write(write(20)),
        );
        let full = StoreError::Full {
            place: path.display().to_string(),
        };
        assert_eq!(large, Err(full.clone()));
        // SQLite rolls back the whole transaction, with all earlier writes in it.
        assert!(small.is_ok() || small == Err(full), "{small:?}");
        other.expect("in a transaction of its own");
        store.write(limit_pages(1 << 30)).await.expect("room again");
        store.write(write(100_000)).await.expect("fits now");
        let count = store
            .read_with(|sql| Ok(sql.query_row("SELECT count(*) FROM text", [], |row| row.get(0))?))
            .await;
        assert_eq!(count, Ok(2 + i64::from(small.is_ok())));
        let sound = store
            .read_with(|sql| Ok(sql.query_row("PRAGMA integrity_check", [], |row| row.get(0))?))
            .await;
        assert_eq!(sound, Ok("ok".to_owned()));
    }

    #[test]
    fn an_operation_that_fails_half_way_undoes_nothing_but_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        drop(Store::open(&path).expect("a store"));
        let file = CatalogueFile::new(&path, Duration::from_secs(5));
        let opened = FileIdentity::while_opening(&file, || open_for_writing(&file));
        let (sender, jobs) = mpsc::channel(8);
        let half = |transaction: &Transaction<'_>| -> std::result::Result<i64, Failure> {
            transaction.text_id("half")?;
            Err(rusqlite::Error::InvalidQuery.into())
        };
        let (first, mut before) = job(write(1));
        let (second, mut failing) = job(half);
        let (third, mut after) = job(write(2));
        for waiting in [first, second, third] {
            assert!(sender.try_send(waiting).is_ok(), "room");
        }
        drop(sender);
        Writer::new(
            file.clone(),
            opened.expect("a connection"),
            jobs,
            Subscribers::start(Vec::new()).expect("no thread"),
            Arc::default(),
        )
        .run();
        let before = before.try_recv().expect("an answer").expect("written");
        failing.try_recv().expect("an answer").expect_err("refused");
        let after = after.try_recv().expect("an answer").expect("written");
        let connection = open_for_writing(&file).expect("a connection");
        let texts = connection
            .prepare("SELECT id, value FROM text ORDER BY id")
            .and_then(|mut rows| {
                rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<Vec<(i64, String)>>>()
            });
        let expected = vec![(before, "x".to_owned()), (after, "xx".to_owned())];
        assert_eq!(texts, Ok(expected));
    }

    #[tokio::test]
    async fn a_transaction_that_is_lost_fails_all_that_was_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("gannet.db")).expect("a store");
        let roll_back = |transaction: &Transaction<'_>| -> std::result::Result<i64, Failure> {
            // As SQLite does by itself on an I/O error.
            transaction.sql.execute_batch("ROLLBACK")?;
            Err(rusqlite::Error::InvalidQuery.into())
        };
        // The first operation keeps the writer busy or shares a batch with the others; both are right.
        let (before, lost, after) = tokio::join!(
            store.write(write(1)),
            store.write(roll_back),
            store.write(write(2))
        );
        assert!(matches!(lost, Err(StoreError::Failed { .. })), "{lost:?}");
        after.expect("in a transaction of its own");
        let count: i64 = store
            .read_with(|sql| Ok(sql.query_row("SELECT count(*) FROM text", [], |row| row.get(0))?))
            .await
            .expect("a count");
        assert_eq!(count, 1 + i64::from(before.is_ok()));
    }

    #[tokio::test]
    async fn a_commit_that_fails_is_not_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("gannet.db")).expect("a store");
        let refuse = |transaction: &Transaction<'_>| -> std::result::Result<i64, Failure> {
            // A foreign key that is checked at the commit only.
            transaction.sql.execute_batch(
                "PRAGMA defer_foreign_keys = ON;
                 INSERT INTO event (at, actor_id, action_id) VALUES (0, 99, 99)",
            )?;
            Ok(1)
        };
        let error = store.write(refuse).await.expect_err("refused");
        assert!(matches!(error, StoreError::Failed { .. }), "{error}");
        // On a new connection, with the first one's settings.
        store.write(write(1)).await.expect("works again");
        let enforced = store
            .write(|transaction| {
                let sql = "PRAGMA foreign_keys";
                Ok(transaction.sql.query_row(sql, [], |row| row.get(0))?)
            })
            .await;
        assert_eq!(enforced, Ok(1_i64));
        let events = store
            .read_with(|sql| Ok(sql.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?))
            .await;
        assert_eq!(events, Ok(0_i64));
    }
}
