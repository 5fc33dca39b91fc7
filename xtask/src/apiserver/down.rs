//! Ending a server.

use super::{ApiserverError, folder::Folder, process::Process, program::Program};

/// Ends the processes and removes the folder; answers with a sentence.
///
/// # Errors
/// When a process does not end, or the folder cannot be removed.
pub(super) fn run(folder: &Folder) -> Result<String, ApiserverError> {
    let _alone = folder.lock()?;
    let n_ended = end_all(folder)?;
    folder.remove()?;
    Ok(match n_ended {
        0 => "nothing was running".to_owned(),
        1 => "1 process ended".to_owned(),
        several => format!("{several} processes ended"),
    })
}

/// Ends what is recorded in the folder, last started first; answers how many ran.
///
/// # Errors
/// When a process does not end.
pub(super) fn end_all(folder: &Folder) -> Result<usize, ApiserverError> {
    let mut n_ended = 0;
    for program in Program::ALL.into_iter().rev() {
        if let Some(process) = Process::recorded(program, folder)?
            && process.is_alive()
        {
            process.end()?;
            n_ended += 1;
        }
    }
    Ok(n_ended)
}
