//! Topics, services and actions of a robot, whose types are known at run time only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r2r::{ActionClientUntyped, ClientUntyped, Node, PublisherUntyped, QosProfile};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::ros::lock::lock;
use rapport_behavior::robot_file::{Channel, Step};

/// How often it is looked whether a server is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How long a server that is not there is waited for.
pub const SERVER_WAIT: Duration = Duration::from_secs(2);

/// The way of one step to the robot.
pub enum Link {
    /// A topic.
    Topic(Mutex<PublisherUntyped>),
    /// A service.
    Service(Arc<ClientUntyped>, Server),
    /// An action.
    Action(Mutex<ActionClientUntyped>, Server),
}

/// Whether somebody offers a service or an action.
#[derive(Debug, Clone)]
pub struct Server(watch::Receiver<bool>);

impl Server {
    /// Whether it is there now, as far as is known.
    pub fn is_there(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it, [`SERVER_WAIT`] at most; whether it came.
    pub async fn wait(&self) -> bool {
        let mut there = self.0.clone();
        matches!(timeout(SERVER_WAIT, there.wait_for(|there| *there)).await, Ok(Ok(_)))
    }
}

/// The clients of services and actions. r2r cannot end them, so that they stay for when the node is
/// configured again.
#[derive(Clone)]
pub struct Clients {
    known: Arc<Mutex<HashMap<Key, Arc<Link>>>>,
    runtime: Handle,
}

/// Kind, name and type.
type Key = (&'static str, String, String);

impl Clients {
    /// None so far. `runtime`: where it is watched whether their servers are there.
    pub fn new(runtime: Handle) -> Self {
        Self { known: Arc::default(), runtime }
    }

    /// The way of a step, made where it is not there yet.
    ///
    /// # Errors
    /// If ROS refuses the topic, service or action.
    pub fn link(&self, node: &mut Node, step: &Step) -> r2r::Result<Arc<Link>> {
        let (name, type_name) = (&*step.name, &*step.type_name);
        if let Channel::Topic { lasting } = step.channel {
            let qos = match lasting {
                true => QosProfile::default().keep_last(1).transient_local(),
                false => QosProfile::default(),
            };
            let publisher = node.create_publisher_untyped(name, type_name, qos)?;
            return Ok(Arc::new(Link::Topic(Mutex::new(publisher))));
        }
        let key = (step.channel.word(), name.to_owned(), type_name.to_owned());
        if let Some(link) = lock(&self.known).get(&key) {
            return Ok(link.clone());
        }
        let (there, server) = watch::channel(false);
        let server = Server(server);
        let link = if step.channel == Channel::Service {
            let qos = QosProfile::services_default();
            let client = Arc::new(node.create_client_untyped(name, type_name, qos)?);
            let watched = client.clone();
            self.runtime.spawn(watch_server(there, move || Node::is_available(&*watched)));
            Link::Service(client, server)
        } else {
            let client = node.create_action_client_untyped(name, type_name)?;
            let watched = Mutex::new(client.clone());
            self.runtime.spawn(watch_server(there, move || Node::is_available(&*lock(&watched))));
            Link::Action(Mutex::new(client), server)
        };
        let link = Arc::new(link);
        lock(&self.known).insert(key, link.clone());
        Ok(link)
    }
}

/// Tells whether a server is there, until the node ends. `found`: r2r's future of a server. One that
/// waits is kept, as r2r keeps the other end of each until the server comes.
async fn watch_server<F>(there: watch::Sender<bool>, found: impl Fn() -> r2r::Result<F>)
where
    F: Future<Output = r2r::Result<()>>,
{
    while let Ok(found) = found() {
        let mut found = std::pin::pin!(found);
        let answer = match timeout(LOOK, &mut found).await {
            Ok(answer) => answer,
            Err(_) => {
                there.send_replace(false);
                found.await
            }
        };
        if answer.is_err() {
            return;
        }
        there.send_replace(true);
        sleep(LOOK).await;
    }
}
