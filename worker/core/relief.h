#ifndef FSD_WORKER_CORE_RELIEF_H
#define FSD_WORKER_CORE_RELIEF_H

struct heap;
struct runtime;

/* For the heap: what runs now is preempted at its next instruction, so that relief_run, or the look at an overdraft, comes soon. */
void relief_note(struct heap *heap);
/* Between tasks, when the heap is tight: collects, and ends the task that has the most memory if that was not enough. */
void relief_run(struct runtime *runtime);

#endif
