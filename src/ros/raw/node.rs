//! A ROS node that does nothing but publish and take bytes.

use std::ffi::{CStr, CString, OsString};
use std::rc::Rc;

use r2r_rcl::{
    RCL_RET_OK, RCL_RET_SUBSCRIPTION_TAKE_FAILED, rcl_context_fini, rcl_context_t,
    rcl_get_zero_initialized_context, rcl_get_zero_initialized_init_options,
    rcl_get_zero_initialized_node, rcl_get_zero_initialized_publisher,
    rcl_get_zero_initialized_subscription, rcl_init, rcl_init_options_fini, rcl_init_options_init,
    rcl_node_fini, rcl_node_get_default_options, rcl_node_init, rcl_node_options_fini, rcl_node_t,
    rcl_publish_serialized_message, rcl_publisher_fini, rcl_publisher_get_default_options,
    rcl_publisher_get_subscription_count, rcl_publisher_get_topic_name, rcl_publisher_init,
    rcl_publisher_t, rcl_ret_t, rcl_serialized_message_t, rcl_shutdown, rcl_subscription_fini,
    rcl_subscription_get_default_options, rcl_subscription_init, rcl_subscription_t,
    rcl_take_serialized_message, rcutils_get_default_allocator, rcutils_get_error_string,
    rcutils_get_zero_initialized_uint8_array, rcutils_reset_error, rcutils_uint8_array_fini,
    rcutils_uint8_array_init, rmw_qos_durability_policy_t, rmw_qos_history_policy_t,
    rmw_qos_profile_t, rmw_qos_reliability_policy_t,
};

use super::arguments::CArguments;
use super::{TypeSupport, check_ros_arguments};
use rapport_recording::bag::{Durability, History, Qos, Reliability};

/// What the ROS client library refused.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {reason}")]
pub struct RawError {
    action: &'static str,
    reason: String,
}

impl RawError {
    pub(super) fn new(action: &'static str, reason: impl Into<String>) -> Self {
        Self { action, reason: reason.into() }
    }

    /// Turns a return code into a result, with what the library says about it.
    pub(super) fn check(action: &'static str, code: rcl_ret_t) -> Result<(), Self> {
        if code == RCL_RET_OK as rcl_ret_t {
            return Ok(());
        }
        // SAFETY: the string is returned by value, thread local, and ends with NUL.
        let message = unsafe {
            let error = rcutils_get_error_string();
            let message = CStr::from_ptr(error.str_.as_ptr()).to_string_lossy().into_owned();
            rcutils_reset_error();
            message
        };
        // The library appends its own source line.
        let reason = message.split(", at ").next().unwrap_or_default();
        Err(Self::new(action, format!("{reason} (code {code})")))
    }
}

/// A node with a context of its own. Not `Send`: the library wants one thread.
pub struct RawNode {
    owned: Rc<Owned>,
}

/// The structures that the C library refers to by address: boxed, so that they never move, and
/// shared by the publishers, so that they end after these.
struct Owned {
    context: *mut rcl_context_t,
    node: *mut rcl_node_t,
}

impl RawNode {
    /// Starts ROS with the arguments from `--ros-args` on, and creates a node.
    ///
    /// # Errors
    /// The arguments are wrong, or the middleware does not start.
    pub fn create(name: &str, ros_arguments: &[OsString]) -> Result<Self, RawError> {
        const START: &str = "ROS 2 did not start";
        check_ros_arguments(ros_arguments)?;

        let arguments = CArguments::new(ros_arguments)?;
        let name =
            CString::new(name).map_err(|_| RawError::new(START, "the node's name has a NUL"))?;

        // SAFETY: every structure is made by the library's own initialiser before it is used; the
        // options and the arguments are copied by rcl_init and outlive the call.
        unsafe {
            let mut options = rcl_get_zero_initialized_init_options();
            let code = rcl_init_options_init(&mut options, rcutils_get_default_allocator());
            RawError::check(START, code)?;
            let mut context = Box::new(rcl_get_zero_initialized_context());
            let code = rcl_init(arguments.count(), arguments.as_ptr(), &options, &mut *context);
            let started = RawError::check(START, code);
            rcl_init_options_fini(&mut options);
            started?;

            let node = Box::new(rcl_get_zero_initialized_node());
            // From here on dropping it ends what was started.
            let owned = Owned { context: Box::into_raw(context), node: Box::into_raw(node) };
            let mut options = rcl_node_get_default_options();
            let namespace = c"";
            let code = rcl_node_init(
                owned.node,
                name.as_ptr(),
                namespace.as_ptr(),
                owned.context,
                &options,
            );
            let created = RawError::check("node not created", code);
            RawError::check("node options", rcl_node_options_fini(&mut options))?;
            created?;
            Ok(Self { owned: Rc::new(owned) })
        }
    }

    /// Creates a publisher of messages that come as bytes. Remappings apply to the name.
    ///
    /// # Errors
    /// The name is no topic's, or the middleware does not support the type.
    pub fn publisher(
        &self,
        topic: &str,
        support: TypeSupport,
        qos: Qos,
    ) -> Result<RawPublisher, RawError> {
        const CREATE: &str = "publisher not created";

        let topic = CString::new(topic).map_err(|_| RawError::new(CREATE, "its name has a NUL"))?;
        // SAFETY: the node is initialised and lives as long as the publisher, which shares it; the
        // type's support is never unloaded; name and options are copied.
        unsafe {
            let mut options = rcl_publisher_get_default_options();
            set_qos(&mut options.qos, qos);
            let mut handle = Box::new(rcl_get_zero_initialized_publisher());
            let code = rcl_publisher_init(
                &mut *handle,
                self.owned.node,
                support.as_ptr(),
                topic.as_ptr(),
                &options,
            );
            RawError::check(CREATE, code)?;
            Ok(RawPublisher { handle, owned: self.owned.clone() })
        }
    }

    /// Subscribes messages that come as bytes. Remappings apply to the name.
    ///
    /// # Errors
    /// The name is no topic's, or the middleware does not support the type.
    pub fn subscription(
        &self,
        topic: &str,
        support: TypeSupport,
        qos: Qos,
    ) -> Result<RawSubscription, RawError> {
        const CREATE: &str = "subscription not created";

        let topic = CString::new(topic).map_err(|_| RawError::new(CREATE, "its name has a NUL"))?;
        // SAFETY: the node is initialised and lives as long as the subscription, which shares it;
        // the type's support is never unloaded; name and options are copied.
        unsafe {
            let mut options = rcl_subscription_get_default_options();
            set_qos(&mut options.qos, qos);
            let mut handle = Box::new(rcl_get_zero_initialized_subscription());
            let code = rcl_subscription_init(
                &mut *handle,
                self.owned.node,
                support.as_ptr(),
                topic.as_ptr(),
                &options,
            );
            RawError::check(CREATE, code)?;
            Ok(RawSubscription { handle, owned: self.owned.clone() })
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: both pointers come from Box::into_raw and are given back once. All publishers
        // are gone, as each holds this. Ending a node that was not created is allowed. A failure
        // to end leaves nothing to be done, so the codes are not looked at.
        unsafe {
            rcl_node_fini(self.node);
            rcl_shutdown(self.context);
            rcl_context_fini(self.context);
            rcutils_reset_error();
            drop(Box::from_raw(self.node));
            drop(Box::from_raw(self.context));
        }
    }
}

/// A publisher of one topic.
pub struct RawPublisher {
    handle: Box<rcl_publisher_t>,
    owned: Rc<Owned>,
}

impl RawPublisher {
    /// Publishes a message given in CDR with its encapsulation header, unchanged.
    ///
    /// # Errors
    /// Bytes too few for the header, or refused by the middleware.
    pub fn publish(&self, cdr: &[u8]) -> Result<(), RawError> {
        const PUBLISH: &str = "message not published";

        // The middleware reads the header without looking at the length.
        if cdr.len() < 4 {
            let reason = format!("{} bytes, expected at least the 4 of a CDR header", cdr.len());
            return Err(RawError::new(PUBLISH, reason));
        }
        // SAFETY: the library only reads the buffer, and only during the call, in spite of the
        // pointer's type. The allocator is never used, as the message stays ours.
        let code = unsafe {
            let message = rcl_serialized_message_t {
                buffer: cdr.as_ptr().cast_mut(),
                buffer_length: cdr.len(),
                buffer_capacity: cdr.len(),
                allocator: rcutils_get_default_allocator(),
            };
            rcl_publish_serialized_message(&*self.handle, &message, std::ptr::null_mut())
        };
        RawError::check(PUBLISH, code)
    }

    /// How many subscriptions are known to listen.
    pub fn subscriptions(&self) -> usize {
        let mut count = 0;
        // SAFETY: the publisher is initialised; the count is written during the call. A failure
        // leaves it at 0.
        unsafe { rcl_publisher_get_subscription_count(&*self.handle, &mut count) };
        count
    }

    /// The topic's name after remapping.
    pub fn topic(&self) -> String {
        // SAFETY: the publisher is initialised, and owns the string for as long as it is.
        unsafe {
            let name = rcl_publisher_get_topic_name(&*self.handle);
            if name.is_null() {
                return String::new();
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

impl Drop for RawPublisher {
    fn drop(&mut self) {
        // SAFETY: initialised in RawNode::publisher, ended once, before its node.
        unsafe {
            rcl_publisher_fini(&mut *self.handle, self.owned.node);
            rcutils_reset_error();
        }
    }
}

/// A subscription of one topic.
pub struct RawSubscription {
    handle: Box<rcl_subscription_t>,
    owned: Rc<Owned>,
}

impl RawSubscription {
    /// Takes the next message in CDR, if one has come; does not wait.
    ///
    /// # Errors
    /// If the middleware refuses.
    pub fn take(&self) -> Result<Option<Vec<u8>>, RawError> {
        const TAKE: &str = "message not taken";

        // SAFETY: the subscription is initialised. The buffer is made and freed by the library, and
        // holds as many bytes as it says while it is copied.
        unsafe {
            let allocator = rcutils_get_default_allocator();
            let mut message: rcl_serialized_message_t = rcutils_get_zero_initialized_uint8_array();
            let code = rcutils_uint8_array_init(&mut message, 0, &allocator);
            RawError::check(TAKE, code)?;
            let code = rcl_take_serialized_message(
                &*self.handle,
                &mut message,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            );
            let taken = if code == RCL_RET_SUBSCRIPTION_TAKE_FAILED as rcl_ret_t {
                rcutils_reset_error();
                Ok(None)
            } else {
                RawError::check(TAKE, code).map(|()| match message.buffer.is_null() {
                    true => None,
                    false => {
                        let bytes = std::slice::from_raw_parts(
                            message.buffer.cast_const(),
                            message.buffer_length,
                        );
                        Some(bytes.to_vec())
                    }
                })
            };
            rcutils_uint8_array_fini(&mut message);
            taken
        }
    }

    /// The newest message that has come, in CDR.
    ///
    /// # Errors
    /// If the middleware refuses.
    pub fn newest(&self) -> Result<Option<Vec<u8>>, RawError> {
        let mut newest = None;
        while let Some(message) = self.take()? {
            newest = Some(message);
        }
        Ok(newest)
    }
}

impl Drop for RawSubscription {
    fn drop(&mut self) {
        // SAFETY: initialised in RawNode::subscription, ended once, before its node.
        unsafe {
            rcl_subscription_fini(&mut *self.handle, self.owned.node);
            rcutils_reset_error();
        }
    }
}

fn set_qos(profile: &mut rmw_qos_profile_t, qos: Qos) {
    profile.reliability = match qos.reliability {
        Reliability::Reliable => rmw_qos_reliability_policy_t::RMW_QOS_POLICY_RELIABILITY_RELIABLE,
        Reliability::BestEffort => {
            rmw_qos_reliability_policy_t::RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT
        }
    };
    profile.durability = match qos.durability {
        Durability::Volatile => rmw_qos_durability_policy_t::RMW_QOS_POLICY_DURABILITY_VOLATILE,
        Durability::TransientLocal => {
            rmw_qos_durability_policy_t::RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
        }
    };
    profile.history = match qos.history {
        History::KeepAll => rmw_qos_history_policy_t::RMW_QOS_POLICY_HISTORY_KEEP_ALL,
        History::KeepLast | History::Unknown => {
            rmw_qos_history_policy_t::RMW_QOS_POLICY_HISTORY_KEEP_LAST
        }
    };
    profile.depth = qos.depth;
}
