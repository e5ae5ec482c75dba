//! One-shot timers in EventBridge Scheduler.

use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use cadence_core::enrollment::{Next, StepDue};

use crate::{App, ScheduleError, is};

/// Makes the timer; one that is there already is the same one.
pub(crate) async fn create(app: &App, due: &StepDue, next: &Next) -> Result<(), ScheduleError> {
    let queue = app.queues.of(next.channel);
    let input = serde_json::to_string(due).map_err(|error| ScheduleError::Request(error.into()))?;
    // Retried for an hour: `reconcile` re-queues what is ten minutes overdue before that.
    let target = Target::builder()
        .arn(&queue.arn)
        .role_arn(&app.timers.role_arn)
        .input(input)
        .dead_letter_config(DeadLetterConfig::builder().arn(&app.timers.dlq_arn).build())
        .retry_policy(RetryPolicy::builder().maximum_event_age_in_seconds(3600).maximum_retry_attempts(10).build())
        .build();
    let target = target.map_err(|error| ScheduleError::Request(error.into()))?;
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    let window = window.map_err(|error| ScheduleError::Request(error.into()))?;
    let made = app
        .scheduler
        .create_schedule()
        .group_name(&app.timers.group)
        .name(due.timer_name())
        .schedule_expression(next.due_at.format("at(%Y-%m-%dT%H:%M:%S)").to_string())
        .schedule_expression_timezone("UTC")
        .flexible_time_window(window)
        .action_after_completion(ActionAfterCompletion::Delete)
        .target(target)
        .send()
        .await;
    match made {
        Ok(_) => {
            tracing::info!(enrollment.id = %due.enrollment, generation = due.generation, due_at = %next.due_at, "set timer");
            Ok(())
        }
        Err(error) if is(&error, "ConflictException") => Ok(()),
        Err(error) => Err(ScheduleError::Timer(error.into())),
    }
}

/// Deletes the timer of an earlier generation. Housekeeping: one that fires all the same is skipped.
pub(crate) async fn delete(app: &App, due: &StepDue) -> Result<(), ScheduleError> {
    let gone = app.scheduler.delete_schedule().group_name(&app.timers.group).name(due.timer_name()).send().await;
    match gone {
        Ok(_) => Ok(()),
        Err(error) if is(&error, "ResourceNotFoundException") => Ok(()),
        Err(error) => Err(ScheduleError::Timer(error.into())),
    }
}
