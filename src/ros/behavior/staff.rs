//! Requests to the staff: the topic `staff_requests` and the service `~/acknowledge_staff`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use r2r::rapport::msg::StaffRequest as StaffRequestMsg;
use r2r::std_msgs::msg::Header;
use r2r::std_srvs::srv::Trigger;
use r2r::{Node, Publisher, QosProfile};

use super::State;
use crate::ros::lock::lock;
use crate::ros::logging::RateLimitedLog;
use rapport_behavior::StaffRequest;

/// How often a request is published until somebody acknowledges it.
const REPEAT: Duration = Duration::from_secs(10);

/// As many as the engine has open, for who joins late.
const KEPT: usize = 8;

/// The topic, and the requests that nobody has acknowledged.
pub struct StaffTopic {
    publisher: Publisher<StaffRequestMsg>,
    open: Vec<StaffRequestMsg>,
    published: Instant,
    log: RateLimitedLog,
}

impl StaffTopic {
    /// Advertises `staff_requests`, reliable and transient local.
    ///
    /// # Errors
    /// If ROS refuses the publisher.
    pub fn advertise(node: &mut Node) -> r2r::Result<Self> {
        let qos = QosProfile::default().keep_last(KEPT).transient_local();
        Ok(Self {
            publisher: node.create_publisher("staff_requests", qos)?,
            open: Vec::new(),
            published: Instant::now(),
            log: RateLimitedLog::default(),
        })
    }

    /// Publishes a request that was made about an image with this header.
    pub fn ask(&mut self, header: &Header, request: &StaffRequest) {
        let StaffRequest { id, rule, place, kind, .. } = request;
        tracing::info!("staff is called: {kind} at {place:?}, by the rule {rule}");
        let message = StaffRequestMsg {
            header: header.clone(),
            request_id: id.clone(),
            place: place.clone(),
            kind: kind.clone(),
            rule: rule.clone(),
            acknowledged: false,
        };
        self.publish(&message);
        self.open.push(message);
    }

    /// Publishes the open requests again where it is time.
    pub fn tick(&mut self) {
        if !self.open.is_empty() && self.published.elapsed() >= REPEAT {
            for message in self.open.clone() {
                self.publish(&message);
            }
        }
    }

    /// Closes the open requests, and returns how many there were.
    fn acknowledge(&mut self) -> usize {
        let open = std::mem::take(&mut self.open);
        for message in &open {
            self.publish(&StaffRequestMsg { acknowledged: true, ..message.clone() });
        }
        open.len()
    }

    fn publish(&mut self, message: &StaffRequestMsg) {
        self.published = Instant::now();
        if let Err(error) = self.publisher.publish(message) {
            self.log.error(&format!("request to the staff not published: {error}"));
        }
    }
}

/// Advertises the service by which somebody of the staff acknowledges the open requests.
///
/// # Errors
/// If the node cannot have it.
pub fn start(
    node: &mut Node,
    state: Arc<Mutex<State>>,
) -> r2r::Result<impl Future<Output = ()> + Send + use<>> {
    let name = format!("{}/acknowledge_staff", node.name()?);
    let mut requests = node.create_service::<Trigger::Service>(&name, QosProfile::default())?;
    Ok(async move {
        while let Some(request) = requests.next().await {
            let count = lock(&state).acknowledge_staff();
            let message = match count {
                0 => "no request to the staff is open".to_owned(),
                count => format!("acknowledged: {count}"),
            };
            tracing::info!("acknowledge_staff: {message}");
            let response = Trigger::Response { success: count > 0, message };
            if let Err(error) = request.respond(response) {
                tracing::warn!("acknowledge_staff: response not sent: {error}");
            }
        }
    })
}

impl State {
    fn acknowledge_staff(&mut self) -> usize {
        if let Some(robot) = &mut self.robot {
            robot.acknowledge_staff();
        }
        self.staff.acknowledge()
    }
}
