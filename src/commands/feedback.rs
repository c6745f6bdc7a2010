//! `rapport feedback`: what is kept of people who consented, taken out, withdrawn or emptied.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rapport_feedback::{Code, Day, FeedbackStore, Key, Share, Summary};

use super::output::print_line;

/// Takes out, withdraws or empties what `rapport serve --feedback` keeps.
///
/// May be used while the server runs.
#[derive(Debug, Args)]
pub struct FeedbackArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Prints how much is kept, and how often the network is right.
    Status {
        /// Folder of --feedback.
        folder: PathBuf,
    },
    /// Writes the reviewed faces, not encrypted, for `rapport evaluate --cut-out`, `rapport adapt` and
    /// Label Studio.
    ///
    /// Run it again with the same folders after a withdrawal: what is gone here goes away there too.
    Export {
        /// Folder of --feedback.
        folder: PathBuf,
        /// Folder to write to: a new one, an empty one, or one of an earlier export.
        out: PathBuf,
        /// Key of the faces (--feedback-key).
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Deletes everything of the consent with a code, answers too.
    Withdraw {
        /// Folder of --feedback.
        folder: PathBuf,
        /// The code. Without it, it is read from standard input, where no list of processes shows it.
        code: Option<String>,
    },
    /// Deletes everything: faces, answers and consents.
    Empty {
        /// Folder of --feedback.
        folder: PathBuf,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// If the folder is something else or cannot be read or written, the key does not fit, or a code is
/// unknown.
pub fn run(args: &FeedbackArgs) -> anyhow::Result<u8> {
    match &args.action {
        Action::Status { folder } => {
            let store = FeedbackStore::open(folder)?;
            store.expire(Day::today())?;
            for line in lines_of(&store.summary()?) {
                print_line(&line)?;
            }
        }
        Action::Export { folder, out, key } => {
            let store = FeedbackStore::open(folder)?;
            store.expire(Day::today())?;
            let exported = store.export(&Key::read(key)?, out)?;
            print_line(&format!(
                "{} answers, {} pictures, {} removed: {}",
                exported.answers,
                exported.pictures,
                exported.removed,
                out.display()
            ))?;
            eprintln!(
                "rapport: these pictures are not encrypted; delete the folder when it has served, and \
                 export again after each withdrawal"
            );
        }
        Action::Withdraw { folder, code } => {
            let store = FeedbackStore::open(folder)?;
            let code: Code = match code {
                Some(code) => code.parse()?,
                None => read_code()?.parse()?,
            };
            let Some(gone) = store.withdraw(&code)? else {
                bail!("no consent has this code: it was withdrawn, or its time is over");
            };
            print_line(&format!("deleted: {} faces, {} answers", gone.faces, gone.answered))?;
        }
        Action::Empty { folder, yes } => {
            let store = FeedbackStore::open(folder)?;
            if !yes {
                let counts = store.summary()?.counts;
                let (faces, answered) = (counts.faces, counts.answered);
                bail!("{faces} faces and {answered} answers would be deleted; add --yes to do it");
            }
            let gone = store.empty()?;
            print_line(&format!("deleted: {} faces, {} answers", gone.faces, gone.answered))?;
        }
    }
    Ok(0)
}

fn read_code() -> anyhow::Result<String> {
    let mut text = String::new();
    // More than any code, less than a file given by mistake.
    std::io::stdin().take(1024).read_to_string(&mut text).context("standard input")?;
    Ok(text)
}

fn lines_of(Summary { counts, answers, accuracy }: &Summary) -> Vec<String> {
    let share = |share: &Option<Share>| match share {
        Some(Share { n, visits, share, low, high }) => {
            let percent = |value: f64| format!("{:.1}", value * 100.0);
            let (share, low, high) = (percent(*share), percent(*low), percent(*high));
            format!("{share} % ({low} to {high}; {n} answers of {visits} visits)")
        }
        None => "fewer than ten answers of ten visits".to_owned(),
    };
    let mut lines = vec![
        format!("consents   {}", counts.consents),
        format!("faces      {}", counts.faces),
        format!("to review  {}", counts.waiting),
        format!("reviewed   {}", counts.answered),
    ];
    lines.extend(answers.iter().map(|(answer, count)| format!("  {answer:<11} {count}")));
    lines.push(format!("right      {}", share(&accuracy.right)));
    lines.push(format!("  where sure {}", share(&accuracy.right_where_sure)));
    lines.push(format!("can't tell {}", share(&accuracy.cant_tell)));
    lines.push(format!("not a face {}", share(&accuracy.not_a_face)));
    lines
}
