// What a forked process of a test does: its tasks, when it is told to, until nobody is there to tell it.

/** @param tasks - `{ name: function of one argument }`; what one throws is answered by its code */
export function answerWith(tasks) {
  process.on('message', (message) => void answer(tasks, message))
  process.on('disconnect', () => process.exit(0))
}

async function answer(tasks, { id, task, argument }) {
  try {
    process.send({ id, result: await tasks[task](argument) })
  } catch (error) {
    process.send({ id, code: error.code ?? 'none', message: String(error.stack) })
  }
}
