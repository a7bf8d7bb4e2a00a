//! Records facts: each in one transaction, in its own table.

use super::Store;
use super::archive_mark::{write_adopted, write_swept};
use super::attempt::forget_validators;

use super::chore::write_chore;
use super::claim::keep_due;
use super::config_event::{is_marked_unusable, mark_unusable, reject, use_again};
use super::damage::write_damage;
use super::edition::note_edition_state;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome, sound_one};
use super::file_set::{forget_set, write_problem, write_publish_error};
use super::judging_death::{count_deaths, forget_deaths};
use super::notice::write_notice;
use super::pending_object::{announce, forget};
use super::publication::{are_files_unsure, be_all_unsure, note_failure};
use super::published_file::{leave_strays, write_look};
use super::session::{end_session, use_session};
use super::token::use_token;
use super::transaction::Transaction;
use super::verifier_link::{end_service, make_links, see_service};
use super::withdrawal::write_withdrawal;
use super::worker::see;
use crate::domain::Stamp;
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::fact::Fact;

impl Store {
    /// Records a fact, with its event if it has one. The stamp's time is when the fact was observed.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] for the state of an edition that does not exist any more.
    pub async fn record(&self, fact: Fact, stamp: Stamp) -> Result<()> {
        if !self.may_matter(&fact).await? {
            return Ok(());
        }
        let damaged = self.write(move |transaction| {
            let mut damaged = Vec::new();
            write(transaction, &fact, &stamp, &mut damaged)?;
            Ok(damaged)
        });
        self.noted().add(damaged.await?);
        Ok(())
    }

    /// Reports whether a fact that usually changes nothing needs a write: a read costs less than a commit.
    async fn may_matter(&self, fact: &Fact) -> Result<bool> {
        match fact {
            Fact::ConfigUsable(_) => self.read_with(|sql| Ok(is_marked_unusable(sql)?)).await,
            Fact::FilesUnsure => self.read_with(|sql| Ok(are_files_unsure(sql)?)).await,
            _ => Ok(true),
        }
    }
}

fn write(
    transaction: &Transaction<'_>,
    fact: &Fact,
    stamp: &Stamp,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<()> {
    match fact {
        Fact::Event(event) => {
            insert_event(transaction, stamp, event.clone())?;
        }
        Fact::ConfigRejected(event) => reject(transaction, event, stamp)?,
        Fact::ConfigUnusable => mark_unusable(transaction, stamp.at)?,
        Fact::ConfigUsable(event) => use_again(transaction, event, stamp)?,
        Fact::Damage(rows) => write_damage(transaction, rows, stamp)?,
        Fact::JudgingDeaths(versions) => count_deaths(transaction, versions)?,
        Fact::JudgedToTheEnd(version) => forget_deaths(transaction, *version)?,
        Fact::ForgetValidators(source) => {
            let forgotten = forget_validators(transaction, *source);
            sound_one(forgotten.map_err(Failure::from), damaged)?;
        }
        Fact::DueBy {
            source,
            fence,
            worker,
            slot,
        } => keep_due(transaction, *source, (*fence, worker), *slot)?,
        Fact::WorkerSeen(worker) => see(transaction, worker, stamp.at)?,
        Fact::ObjectPending { name, worker } => announce(transaction, name, worker, stamp.at)?,
        Fact::ObjectsGone(names) => forget(transaction, names)?,
        Fact::Chore(name) => write_chore(transaction, name, stamp.at)?,
        Fact::Swept => write_swept(transaction, stamp.at)?,
        Fact::Looks(looks) => {
            for (source, seal) in looks {
                sound_one(write_look(transaction, *source, *seal), damaged)?;
            }
        }
        Fact::FilesUnsure => be_all_unsure(transaction)?,
        Fact::PublishFailures(failures) => {
            for (source, why) in failures {
                sound_one(note_failure(transaction, *source, why, stamp), damaged)?;
            }
        }
        Fact::Withdrawals(tried) => {
            for (path, outcome) in tried {
                let written = write_withdrawal(transaction, path, outcome, stamp);
                sound_one(written.map_err(Failure::from), damaged)?;
            }
        }
        Fact::Notice(record) => write_notice(transaction, record, stamp)?,
        Fact::ArchiveAdopted { mark, kept, detail } => {
            write_adopted(transaction, mark, kept, detail, stamp)?;
        }
        Fact::Strays(paths) => leave_strays(transaction, paths)?,
        Fact::SetProblem { set, problem } => {
            write_problem(transaction, set, problem.as_deref(), stamp)?;
        }
        Fact::SetPublishError { set, why } => {
            write_publish_error(transaction, set, why.as_deref(), stamp)?;
        }
        Fact::SetGone(set) => forget_set(transaction, set)?,
        Fact::SessionUsed(digest) => use_session(transaction, *digest, stamp.at)?,
        Fact::SessionEnded(digest) => end_session(transaction, *digest)?,
        Fact::TokenUsed(digest) => use_token(transaction, *digest, stamp.at)?,
        Fact::LinksMade(links) => make_links(transaction, links, stamp.at)?,
        Fact::ServiceSeen(service) => see_service(transaction, service, stamp.at)?,
        Fact::ServiceEnded(address) => end_service(transaction, address)?,
        Fact::EditionState(id) => note_edition_state(transaction, *id, stamp)?,
    }
    Ok(())
}
