//! Where an artifact comes from and what became of it, over runs.

use std::collections::{BTreeMap, BTreeSet};

use ferroflow_model::record::LinkDirection;
use ferroflow_model::{ArtifactId, ExecutionId, TaskId};
use ferroflow_ports::view::ExecutionView;

use super::convert::artifact_row;
use super::wire::{Lineage, LineageEdge, LineageNode, Named};
use super::{OwnApi, Question};
use crate::status::ApiError;

const MOST_NODES: usize = 1000;
const MOST_DEPTH: u32 = 50;
const MOST_USES: u32 = 1000;

/// What was found so far.
#[derive(Default)]
struct Net {
    artifacts: BTreeSet<ArtifactId>,
    executions: BTreeMap<ExecutionId, ExecutionView>,
    edges: BTreeSet<(String, String, String)>,
    is_cut: bool,
}

impl Net {
    fn is_full(&self) -> bool {
        self.artifacts.len() + self.executions.len() >= MOST_NODES
    }

    fn add_edge(
        &mut self,
        direction: LinkDirection,
        artifact: ArtifactId,
        execution: ExecutionId,
        name: &str,
    ) {
        let (artifact, execution) = (format!("a{artifact}"), format!("t{execution}"));
        let (from, to) = match direction {
            LinkDirection::Input => (artifact, execution),
            LinkDirection::Output => (execution, artifact),
        };
        self.edges.insert((from, to, name.to_owned()));
    }
}

impl OwnApi {
    pub(super) async fn artifact_lineage(&self, question: &Question<'_>) -> Result<Lineage, ApiError> {
        let query = question.query(&["depth", "direction"])?;
        let depth = query.number("depth", 2, (1, MOST_DEPTH))?;
        // Up: who made it, and from what. Down: who used it, and what for.
        let directions: &[LinkDirection] = match query.text("direction").unwrap_or("both") {
            "up" => &[LinkDirection::Output],
            "down" => &[LinkDirection::Input],
            "both" => &[LinkDirection::Output, LinkDirection::Input],
            other => {
                let message = format!("`direction` is `up`, `down` or `both`, not `{other}`");
                return Err(ApiError::invalid(message));
            }
        };
        let center = self.artifact_of(question).await?.record.artifact.id;
        let mut net = Net { artifacts: BTreeSet::from([center]), ..Net::default() };
        for near in directions {
            let mut front = vec![center];
            for _ in 0..depth {
                front = self.step(&mut net, &front, *near).await?;
            }
        }
        let views =
            self.services.store.artifact_views_of(&net.artifacts.iter().copied().collect::<Vec<_>>()).await?;
        let artifacts = views.iter().map(|view| LineageNode::Artifact {
            id: format!("a{}", view.record.artifact.id),
            artifact: artifact_row(view),
        });
        let tasks = net.executions.values().map(|execution| LineageNode::Task {
            id: format!("t{}", execution.execution_id),
            run: Named { id: execution.run_id.to_string(), name: execution.run_name.clone() },
            path: execution.path.to_string(),
            task_id: TaskId::derive(execution.run_id, &execution.path).to_string(),
        });
        Ok(Lineage {
            center: format!("a{center}"),
            nodes: artifacts.chain(tasks).collect(),
            edges: net.edges.into_iter().map(|(from, to, name)| LineageEdge { from, to, name }).collect(),
            is_cut: net.is_cut,
        })
    }

    /// From artifacts over the executions that made (or used) them to the artifacts on the other side of those.
    async fn step(
        &self,
        net: &mut Net,
        front: &[ArtifactId],
        near: LinkDirection,
    ) -> Result<Vec<ArtifactId>, ApiError> {
        if front.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.services.store;
        let uses = store.artifact_uses(front, near, MOST_USES).await?;
        net.is_cut |= uses.len() >= MOST_USES as usize;
        let mut found = Vec::new();
        for used in uses {
            if net.is_full() && !net.executions.contains_key(&used.execution.execution_id) {
                net.is_cut = true;
                continue;
            }
            net.add_edge(near, used.link.artifact_id, used.execution.execution_id, &used.link.name);
            found.push(used.execution.execution_id);
            net.executions.insert(used.execution.execution_id, used.execution);
        }
        let mut next = Vec::new();
        for link in store.links_of(&found).await? {
            if link.direction == near {
                continue;
            }
            if !net.artifacts.contains(&link.artifact_id) {
                if net.is_full() {
                    net.is_cut = true;
                    continue;
                }
                net.artifacts.insert(link.artifact_id);
                next.push(link.artifact_id);
            }
            net.add_edge(link.direction, link.artifact_id, link.execution_id, &link.name);
        }
        Ok(next)
    }
}
