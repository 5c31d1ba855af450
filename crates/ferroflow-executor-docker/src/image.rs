//! The image of a task: there, or fetched with word of how far it has come.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::CreateImageOptionsBuilder;
use ferroflow_executor_local::container::order::{Order, Pull};
use futures_util::StreamExt as _;

use crate::contain::say;
use crate::credentials;
use crate::daemon::Daemon;
use crate::problem::{Problem, is_absent, words};

/// How often it is told how far an image has come.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Where programs are looked for in images that do not say it.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is to be known of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its digest: other contents have another one.
    pub(crate) id: String,
    /// Where it looks for programs.
    pub(crate) path: String,
}

/// Fetches the image of an order as far as the order wants it.
pub(crate) async fn ensure(daemon: &Daemon, order: &Order) -> Result<Image, Problem> {
    let is_wanted_anew = order.pull == Pull::Always;
    if let Some(found) = inspect(daemon, &order.image).await?.filter(|_| !is_wanted_anew) {
        return Ok(facts(found));
    }
    if order.pull == Pull::Never {
        return Err(Problem::NotThere(order.image.clone()));
    }
    pull(daemon, order).await?;
    let found = inspect(daemon, &order.image).await?;
    found.map(facts).ok_or_else(|| Problem::NotThere(order.image.clone()))
}

async fn inspect(daemon: &Daemon, image: &str) -> Result<Option<ImageInspect>, Problem> {
    match daemon.docker.inspect_image(image).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Problem::NotStarted(words(&error))),
    }
}

fn facts(image: ImageInspect) -> Image {
    let env = image.config.and_then(|config| config.env).unwrap_or_default();
    let path = env.iter().find_map(|entry| entry.strip_prefix("PATH="));
    Image { id: image.id.unwrap_or_default(), path: path.unwrap_or(DEFAULT_PATH).to_owned() }
}

async fn pull(daemon: &Daemon, order: &Order) -> Result<(), Problem> {
    let image = order.image.clone();
    let config = order.credentials.clone();
    let known = tokio::task::spawn_blocking({
        let image = image.clone();
        move || credentials::for_image(&config?, &image)
    });
    let known = known.await.ok().flatten();
    say(&format!("pulling image `{image}`"));
    let begun = Instant::now();
    let options = CreateImageOptionsBuilder::default().from_image(&with_tag(&image)).build();
    let mut steps = daemon.docker.create_image(Some(options), None, known);
    let mut progress = Progress::default();
    let mut told = Instant::now();
    while let Some(step) = steps.next().await {
        progress.add(&step.map_err(|error| Problem::of_pull(&image, &error))?);
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            say(&format!("pulling image `{image}`: {}", progress.describe()));
        }
    }
    say(&format!("pulled image `{image}` in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// With the tag that is meant: without one, the daemon would fetch all there are.
fn with_tag(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    if name.contains([':', '@']) { image.to_owned() } else { format!("{image}:latest") }
}

/// Bytes of the layers under way: how many have come, and how many there are.
#[derive(Debug, Default)]
struct Progress {
    layers: HashMap<String, (i64, i64)>,
}

impl Progress {
    fn add(&mut self, step: &CreateImageInfo) {
        let (Some(layer), Some(detail)) = (&step.id, &step.progress_detail) else { return };
        // Unpacking counts the same bytes again.
        if step.status.as_deref() == Some("Downloading")
            && let (Some(current), Some(total)) = (detail.current, detail.total)
        {
            self.layers.insert(layer.clone(), (current, total));
        }
        if step.status.as_deref() == Some("Download complete")
            && let Some(layer) = self.layers.get_mut(layer)
        {
            layer.0 = layer.1;
        }
    }

    fn describe(&self) -> String {
        const MIB: i64 = 1024 * 1024;
        let (current, total) =
            self.layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
        format!("{} of {} MiB", current / MIB, total / MIB)
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn one_tag_is_fetched() {
        for (image, expected) in [
            ("alpine", "alpine:latest"),
            ("alpine:3", "alpine:3"),
            ("reg:5000/a", "reg:5000/a:latest"),
            ("a@sha256:0", "a@sha256:0"),
        ] {
            assert_eq!(with_tag(image), expected);
        }
    }

    #[test]
    fn progress_counts_the_bytes_of_all_layers() {
        let step = |id: &str, status: &str, current, total| CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail { current, total }),
            ..CreateImageInfo::default()
        };
        let mut progress = Progress::default();
        let mib = |count: i64| Some(count << 20);
        progress.add(&step("a", "Downloading", mib(1), mib(4)));
        progress.add(&step("b", "Downloading", mib(2), mib(2)));
        progress.add(&step("a", "Downloading", mib(3), mib(4)));
        progress.add(&step("a", "Extracting", mib(1), mib(4)));
        assert_eq!(progress.describe(), "5 of 6 MiB");
        progress.add(&step("a", "Download complete", None, None));
        assert_eq!(progress.describe(), "6 of 6 MiB");
    }
}
