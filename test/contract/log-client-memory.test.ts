import { MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import { type LogWorld, describeLogClient } from './log-client.js';

function openMemory(): Promise<LogWorld> {
  const log = new MemoryLog();
  let made = 0;
  return Promise.resolve({
    open: (clock) => memoryLogClient(log, clock),
    createTopic: async (lanes, name = `topic-${String(made++)}`) => {
      log.createTopic(name, lanes);
      return name;
    },
    deleteTopic: async (topic) => log.deleteTopic(topic),
    deleteRecordsBefore: async (topic, lane, low) => log.deleteRecordsBefore(topic, lane, low),
    close: async () => undefined,
  });
}

describeLogClient('the log in memory', openMemory);
