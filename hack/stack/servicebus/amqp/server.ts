/**
 * The AMQP side of the emulator: what Azure's SDK expects of a Service Bus namespace, on rhea. Each connection
 * has links that send to a queue, links that receive from one, and links for requests; nothing is decided here
 * about messages. It listens on the loopback address and on no other.
 */
import { once } from "node:events";
import type { Server } from "node:net";
import type { Broker } from "../broker.ts";
import { notFound, TOO_LARGE, UNAUTHORISED } from "./conditions.ts";
import { BATCH_FORMAT, decodeNewMessage, splitBatch } from "./message-codec.ts";
import { openReceiverLink } from "./open-receiver-link.ts";
import type { ReceiverLink } from "./receiver-link.ts";
import { isRequestAddress, RequestLinks } from "./request-links.ts";
import { amqpMessage, createContainer } from "./rhea.ts";
import type { Connection, Delivery, EventContext, OutcomeName, Receiver, Sender } from "./rhea.ts";

const LOOPBACK = "127.0.0.1";
const MAX_MESSAGE_BYTES = 256 * 1024;
const CREDIT_WINDOW = 500;
const OUTCOMES: readonly OutcomeName[] = ["accepted", "rejected", "released", "modified"];

export interface AmqpServerOptions {
  readonly broker: Broker;
  /** The shared access key that clients must sign their tokens with. */
  readonly key: string;
  /** 0: any free port. */
  readonly port: number;
  readonly onError: (error: unknown) => void;
}

export interface AmqpServer {
  readonly port: number;
  /** Closes every connection in order, and resolves when they are gone. */
  close(): Promise<void>;
}

interface Client {
  readonly requests: RequestLinks;
  readonly receivers: Map<Sender, ReceiverLink>;
}

/** @throws when the port is taken */
export async function startAmqpServer({
  broker,
  key,
  port,
  onError,
}: AmqpServerOptions): Promise<AmqpServer> {
  const clients = new Map<Connection, Client>();
  const clientOf = (connection: Connection): Client => {
    const known = clients.get(connection);
    const client = known ?? { requests: new RequestLinks(broker, key), receivers: new Map() };
    if (known === undefined) clients.set(connection, client);
    return client;
  };
  const receiverOf = (sender: Sender): ReceiverLink | undefined =>
    clients.get(sender.connection)?.receivers.get(sender);

  const container = createContainer({
    id: "opal-servicebus-emulator",
    // Answers are small: without this each would wait 40 ms for the acknowledgement of the one before.
    tcp_no_delay: true,
    receiver_options: {
      autoaccept: false,
      credit_window: CREDIT_WINDOW,
      max_message_size: MAX_MESSAGE_BYTES,
    },
    sender_options: { autosettle: false, treat_modified_as_released: false },
  });
  container.sasl_server_mechanisms.enable_anonymous();

  container.on("sender_open", ({ sender, connection }: EventContext) => {
    if (sender !== undefined) openSender(broker, clientOf(connection), sender);
  });
  container.on("receiver_open", ({ receiver, connection }: EventContext) => {
    if (receiver !== undefined) openReceiver(broker, clientOf(connection), receiver);
  });
  container.on("message", (context: EventContext) => {
    if (context.receiver !== undefined && context.delivery !== undefined) {
      takeTransfer(broker, clientOf(context.connection), context, context.delivery);
    }
  });
  for (const name of OUTCOMES) {
    container.on(name, ({ sender, delivery }: EventContext) => {
      if (sender !== undefined && delivery !== undefined) receiverOf(sender)?.onOutcome(name, delivery);
    });
  }
  // What the client has settled by itself (an answer to a request, say) is forgotten by us as well.
  container.on("settled", ({ delivery }: EventContext) => {
    if (delivery?.settled === false) delivery.update(true);
    broker.touch();
  });
  for (const name of ["sendable", "sender_flow", "sender_draining"]) container.on(name, () => broker.touch());
  container.on("sender_close", ({ sender }: EventContext) => {
    if (sender === undefined) return;
    receiverOf(sender)?.close();
    clients.get(sender.connection)?.receivers.delete(sender);
  });
  const forget = ({ connection }: EventContext): void => {
    for (const link of clients.get(connection)?.receivers.values() ?? []) link.close();
    clients.delete(connection);
  };
  container.on("disconnected", forget);
  container.on("connection_close", forget);
  for (const name of ["error", "protocol_error"]) container.on(name, onError);
  container.on("connection_error", ({ error }: EventContext) => onError(error));

  const server: Server = container.listen({ host: LOOPBACK, port });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () => closeAll(server, [...clients.keys()]),
  };
}

function openSender(broker: Broker, client: Client, sender: Sender): void {
  const address = sender.source?.address ?? "";
  sender.set_source({ address });
  sender.set_target(sender.target ?? {});
  if (isRequestAddress(address)) client.requests.addReplyLink(sender);
  else if (!client.requests.isAuthorised) sender.close(UNAUTHORISED);
  else {
    const link = openReceiverLink(broker, sender, address);
    if (link !== undefined) client.receivers.set(sender, link);
  }
}

function openReceiver(broker: Broker, client: Client, receiver: Receiver): void {
  const address = addressOf(receiver);
  receiver.set_target({ address });
  receiver.set_source(receiver.source ?? {});
  if (isRequestAddress(address)) return;
  if (!client.requests.isAuthorised) receiver.close(UNAUTHORISED);
  else if (broker.source(address)?.subqueue !== "main") receiver.close(notFound(address));
}

/** A client has sent something: a request, a message or a batch of messages. */
function takeTransfer(broker: Broker, client: Client, context: EventContext, delivery: Delivery): void {
  const address = addressOf(context.receiver);
  const { message } = context;
  if (message === undefined) return;
  if (isRequestAddress(address)) {
    delivery.accept();
    client.requests.onRequest(address, message);
    return;
  }
  const source = broker.source(address);
  // rhea hands over the bytes of formats that it does not know, and what it has decoded otherwise.
  const encoded = Buffer.isBuffer(message) ? message : amqpMessage.encode(message);
  if (source === undefined) return delivery.reject(notFound(address));
  if (encoded.length > MAX_MESSAGE_BYTES) return delivery.reject(TOO_LARGE);
  try {
    const parts = delivery.format === BATCH_FORMAT ? splitBatch(encoded) : [encoded];
    for (const part of parts.map(decodeNewMessage)) source.queue.send(part, broker.now());
    broker.afterCommit(() => delivery.accept());
  } catch (error) {
    const description = error instanceof Error ? error.message : String(error);
    delivery.reject({ condition: "amqp:decode-error", description });
  }
}

function addressOf(receiver: Receiver | undefined): string {
  const address: unknown = receiver?.target?.address;
  return typeof address === "string" ? address : "";
}

async function closeAll(server: Server, connections: readonly Connection[]): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const connection of connections) connection.close();
  await closed;
}
