import * as $protobuf from "protobufjs/minimal.js";

/** Namespace orch. */
export namespace orch {

    /** Namespace node. */
    namespace node {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of an AgentMessage.
             * @deprecated Use orch.node.v1.AgentMessage.$Properties instead.
             */
            interface IAgentMessage extends orch.node.v1.AgentMessage.$Properties {
            }

            /** Represents an AgentMessage. */
            class AgentMessage {

                /**
                 * Constructs a new AgentMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.AgentMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AgentMessage hello. */
                hello: (orch.node.v1.Hello|null);

                /** AgentMessage heartbeat. */
                heartbeat: (orch.node.v1.Heartbeat|null);

                /** AgentMessage status. */
                status: (orch.node.v1.StatusBatch|null);

                /** AgentMessage goodbye. */
                goodbye: (orch.node.v1.Goodbye|null);

                /** AgentMessage description. */
                description: (orch.node.v1.NodeDescription|null);

                /** AgentMessage message. */
                message?: ("hello"|"heartbeat"|"status"|"goodbye"|"description");

                /**
                 * Encodes the specified AgentMessage message. Does not implicitly {@link orch.node.v1.AgentMessage.verify|verify} messages.
                 * @param message AgentMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.AgentMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AgentMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.AgentMessage & orch.node.v1.AgentMessage.$Shape} AgentMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.AgentMessage & orch.node.v1.AgentMessage.$Shape;
            }

            namespace AgentMessage {

                /** Properties of an AgentMessage. */
                interface $Properties {

                    /** AgentMessage hello */
                    hello?: (orch.node.v1.Hello.$Properties|null);

                    /** AgentMessage heartbeat */
                    heartbeat?: (orch.node.v1.Heartbeat.$Properties|null);

                    /** AgentMessage status */
                    status?: (orch.node.v1.StatusBatch.$Properties|null);

                    /** AgentMessage goodbye */
                    goodbye?: (orch.node.v1.Goodbye.$Properties|null);

                    /** AgentMessage description */
                    description?: (orch.node.v1.NodeDescription.$Properties|null);

                    /** AgentMessage message */
                    message?: ("hello"|"heartbeat"|"status"|"goodbye"|"description");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of an AgentMessage. */
                type $Shape = {
                  hello?: orch.node.v1.Hello.$Shape|null;
                  heartbeat?: orch.node.v1.Heartbeat.$Shape|null;
                  status?: orch.node.v1.StatusBatch.$Shape|null;
                  goodbye?: orch.node.v1.Goodbye.$Shape|null;
                  description?: orch.node.v1.NodeDescription.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ message?: undefined; hello?: null; heartbeat?: null; status?: null; goodbye?: null; description?: null }|{ message?: "hello"; hello: orch.node.v1.Hello.$Shape; heartbeat?: null; status?: null; goodbye?: null; description?: null }|{ message?: "heartbeat"; hello?: null; heartbeat: orch.node.v1.Heartbeat.$Shape; status?: null; goodbye?: null; description?: null }|{ message?: "status"; hello?: null; heartbeat?: null; status: orch.node.v1.StatusBatch.$Shape; goodbye?: null; description?: null }|{ message?: "goodbye"; hello?: null; heartbeat?: null; status?: null; goodbye: orch.node.v1.Goodbye.$Shape; description?: null }|{ message?: "description"; hello?: null; heartbeat?: null; status?: null; goodbye?: null; description: orch.node.v1.NodeDescription.$Shape })
                );
            }

            /**
             * Properties of a Hello.
             * @deprecated Use orch.node.v1.Hello.$Properties instead.
             */
            interface IHello extends orch.node.v1.Hello.$Properties {
            }

            /** Represents a Hello. */
            class Hello {

                /**
                 * Constructs a new Hello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.Hello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Hello description. */
                description: orch.node.v1.NodeDescription;

                /** Hello assignmentEpoch. */
                assignmentEpoch: string;

                /** Hello assignmentSequence. */
                assignmentSequence: number;

                /** Hello orchVersion. */
                orchVersion: string;

                /** Hello nowMs. */
                nowMs: number;

                /**
                 * Encodes the specified Hello message. Does not implicitly {@link orch.node.v1.Hello.verify|verify} messages.
                 * @param message Hello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Hello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.Hello & orch.node.v1.Hello.$Shape} Hello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.Hello & orch.node.v1.Hello.$Shape;
            }

            namespace Hello {

                /** Properties of a Hello. */
                interface $Properties {

                    /** Hello description */
                    description?: orch.node.v1.NodeDescription.$Properties;

                    /** Hello assignmentEpoch */
                    assignmentEpoch?: string;

                    /** Hello assignmentSequence */
                    assignmentSequence?: number;

                    /** Hello orchVersion */
                    orchVersion?: string;

                    /** Hello nowMs */
                    nowMs?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Hello. */
                type $Shape = orch.node.v1.Hello.$Properties;
            }

            /**
             * Properties of a NodeDescription.
             * @deprecated Use orch.node.v1.NodeDescription.$Properties instead.
             */
            interface INodeDescription extends orch.node.v1.NodeDescription.$Properties {
            }

            /** Represents a NodeDescription. */
            class NodeDescription {

                /**
                 * Constructs a new NodeDescription.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.NodeDescription.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** NodeDescription hostname. */
                hostname: string;

                /** NodeDescription os. */
                os: string;

                /** NodeDescription arch. */
                arch: string;

                /** NodeDescription nanoCpus. */
                nanoCpus: number;

                /** NodeDescription memoryBytes. */
                memoryBytes: number;

                /** NodeDescription engineVersion. */
                engineVersion: string;

                /** NodeDescription engineLabels. */
                engineLabels: { [k: string]: string };

                /**
                 * Encodes the specified NodeDescription message. Does not implicitly {@link orch.node.v1.NodeDescription.verify|verify} messages.
                 * @param message NodeDescription message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.NodeDescription.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a NodeDescription message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.NodeDescription & orch.node.v1.NodeDescription.$Shape} NodeDescription
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.NodeDescription & orch.node.v1.NodeDescription.$Shape;
            }

            namespace NodeDescription {

                /** Properties of a NodeDescription. */
                interface $Properties {

                    /** NodeDescription hostname */
                    hostname?: string;

                    /** NodeDescription os */
                    os?: string;

                    /** NodeDescription arch */
                    arch?: string;

                    /** NodeDescription nanoCpus */
                    nanoCpus?: number;

                    /** NodeDescription memoryBytes */
                    memoryBytes?: number;

                    /** NodeDescription engineVersion */
                    engineVersion?: string;

                    /** NodeDescription engineLabels */
                    engineLabels?: { [k: string]: string };

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a NodeDescription. */
                type $Shape = orch.node.v1.NodeDescription.$Properties;
            }

            /**
             * Properties of a Heartbeat.
             * @deprecated Use orch.node.v1.Heartbeat.$Properties instead.
             */
            interface IHeartbeat extends orch.node.v1.Heartbeat.$Properties {
            }

            /** Represents a Heartbeat. */
            class Heartbeat {

                /**
                 * Constructs a new Heartbeat.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.Heartbeat.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified Heartbeat message. Does not implicitly {@link orch.node.v1.Heartbeat.verify|verify} messages.
                 * @param message Heartbeat message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.Heartbeat.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Heartbeat message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.Heartbeat & orch.node.v1.Heartbeat.$Shape} Heartbeat
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.Heartbeat & orch.node.v1.Heartbeat.$Shape;
            }

            namespace Heartbeat {

                /** Properties of a Heartbeat. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Heartbeat. */
                type $Shape = orch.node.v1.Heartbeat.$Properties;
            }

            /**
             * Properties of a Goodbye.
             * @deprecated Use orch.node.v1.Goodbye.$Properties instead.
             */
            interface IGoodbye extends orch.node.v1.Goodbye.$Properties {
            }

            /** Represents a Goodbye. */
            class Goodbye {

                /**
                 * Constructs a new Goodbye.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.Goodbye.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Goodbye forGood. */
                forGood: boolean;

                /**
                 * Encodes the specified Goodbye message. Does not implicitly {@link orch.node.v1.Goodbye.verify|verify} messages.
                 * @param message Goodbye message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.Goodbye.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Goodbye message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.Goodbye & orch.node.v1.Goodbye.$Shape} Goodbye
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.Goodbye & orch.node.v1.Goodbye.$Shape;
            }

            namespace Goodbye {

                /** Properties of a Goodbye. */
                interface $Properties {

                    /** Goodbye forGood */
                    forGood?: boolean;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Goodbye. */
                type $Shape = orch.node.v1.Goodbye.$Properties;
            }

            /**
             * Properties of a StatusBatch.
             * @deprecated Use orch.node.v1.StatusBatch.$Properties instead.
             */
            interface IStatusBatch extends orch.node.v1.StatusBatch.$Properties {
            }

            /** Represents a StatusBatch. */
            class StatusBatch {

                /**
                 * Constructs a new StatusBatch.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.StatusBatch.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StatusBatch sequence. */
                sequence: number;

                /** StatusBatch reports. */
                reports: orch.node.v1.TaskReport[];

                /**
                 * Encodes the specified StatusBatch message. Does not implicitly {@link orch.node.v1.StatusBatch.verify|verify} messages.
                 * @param message StatusBatch message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.StatusBatch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StatusBatch message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.StatusBatch & orch.node.v1.StatusBatch.$Shape} StatusBatch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.StatusBatch & orch.node.v1.StatusBatch.$Shape;
            }

            namespace StatusBatch {

                /** Properties of a StatusBatch. */
                interface $Properties {

                    /** StatusBatch sequence */
                    sequence?: number;

                    /** StatusBatch reports */
                    reports?: orch.node.v1.TaskReport.$Properties[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StatusBatch. */
                type $Shape = orch.node.v1.StatusBatch.$Properties;
            }

            /**
             * Properties of a TaskReport.
             * @deprecated Use orch.node.v1.TaskReport.$Properties instead.
             */
            interface ITaskReport extends orch.node.v1.TaskReport.$Properties {
            }

            /** Represents a TaskReport. */
            class TaskReport {

                /**
                 * Constructs a new TaskReport.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.TaskReport.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** TaskReport taskId. */
                taskId: string;

                /** TaskReport status. */
                status: orch.node.v1.TaskStatus;

                /**
                 * Encodes the specified TaskReport message. Does not implicitly {@link orch.node.v1.TaskReport.verify|verify} messages.
                 * @param message TaskReport message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.TaskReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a TaskReport message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.TaskReport & orch.node.v1.TaskReport.$Shape} TaskReport
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.TaskReport & orch.node.v1.TaskReport.$Shape;
            }

            namespace TaskReport {

                /** Properties of a TaskReport. */
                interface $Properties {

                    /** TaskReport taskId */
                    taskId?: string;

                    /** TaskReport status */
                    status?: orch.node.v1.TaskStatus.$Properties;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a TaskReport. */
                type $Shape = orch.node.v1.TaskReport.$Properties;
            }

            /** TaskState enum. */
            enum TaskState {

                /** TASK_STATE_UNSPECIFIED value */
                TASK_STATE_UNSPECIFIED = 0,

                /** TASK_STATE_NEW value */
                TASK_STATE_NEW = 1,

                /** TASK_STATE_PENDING value */
                TASK_STATE_PENDING = 2,

                /** TASK_STATE_ASSIGNED value */
                TASK_STATE_ASSIGNED = 3,

                /** TASK_STATE_ACCEPTED value */
                TASK_STATE_ACCEPTED = 4,

                /** TASK_STATE_PREPARING value */
                TASK_STATE_PREPARING = 5,

                /** TASK_STATE_READY value */
                TASK_STATE_READY = 6,

                /** TASK_STATE_STARTING value */
                TASK_STATE_STARTING = 7,

                /** TASK_STATE_RUNNING value */
                TASK_STATE_RUNNING = 8,

                /** TASK_STATE_COMPLETE value */
                TASK_STATE_COMPLETE = 9,

                /** TASK_STATE_SHUTDOWN value */
                TASK_STATE_SHUTDOWN = 10,

                /** TASK_STATE_FAILED value */
                TASK_STATE_FAILED = 11,

                /** TASK_STATE_REJECTED value */
                TASK_STATE_REJECTED = 12,

                /** TASK_STATE_ORPHANED value */
                TASK_STATE_ORPHANED = 13
            }

            /** DesiredState enum. */
            enum DesiredState {

                /** DESIRED_STATE_UNSPECIFIED value */
                DESIRED_STATE_UNSPECIFIED = 0,

                /** DESIRED_STATE_READY value */
                DESIRED_STATE_READY = 1,

                /** DESIRED_STATE_RUNNING value */
                DESIRED_STATE_RUNNING = 2,

                /** DESIRED_STATE_COMPLETE value */
                DESIRED_STATE_COMPLETE = 3,

                /** DESIRED_STATE_SHUTDOWN value */
                DESIRED_STATE_SHUTDOWN = 4,

                /** DESIRED_STATE_REMOVE value */
                DESIRED_STATE_REMOVE = 5
            }

            /**
             * Properties of a TaskStatus.
             * @deprecated Use orch.node.v1.TaskStatus.$Properties instead.
             */
            interface ITaskStatus extends orch.node.v1.TaskStatus.$Properties {
            }

            /** Represents a TaskStatus. */
            class TaskStatus {

                /**
                 * Constructs a new TaskStatus.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.TaskStatus.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** TaskStatus state. */
                state: orch.node.v1.TaskState;

                /** TaskStatus atMs. */
                atMs: number;

                /** TaskStatus message. */
                message: string;

                /** TaskStatus error. */
                error: (string|null);

                /** TaskStatus container. */
                container: (orch.node.v1.TaskContainer|null);

                /** TaskStatus exitCode. */
                exitCode: (number|null);

                /** TaskStatus ports. */
                ports: orch.node.v1.BoundPort[];

                /**
                 * Encodes the specified TaskStatus message. Does not implicitly {@link orch.node.v1.TaskStatus.verify|verify} messages.
                 * @param message TaskStatus message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.TaskStatus.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a TaskStatus message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.TaskStatus & orch.node.v1.TaskStatus.$Shape} TaskStatus
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.TaskStatus & orch.node.v1.TaskStatus.$Shape;
            }

            namespace TaskStatus {

                /** Properties of a TaskStatus. */
                interface $Properties {

                    /** TaskStatus state */
                    state?: orch.node.v1.TaskState;

                    /** TaskStatus atMs */
                    atMs?: number;

                    /** TaskStatus message */
                    message?: string;

                    /** TaskStatus error */
                    error?: (string|null);

                    /** TaskStatus container */
                    container?: (orch.node.v1.TaskContainer.$Properties|null);

                    /** TaskStatus exitCode */
                    exitCode?: (number|null);

                    /** TaskStatus ports */
                    ports?: orch.node.v1.BoundPort.$Properties[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a TaskStatus. */
                type $Shape = orch.node.v1.TaskStatus.$Properties;
            }

            /**
             * Properties of a TaskContainer.
             * @deprecated Use orch.node.v1.TaskContainer.$Properties instead.
             */
            interface ITaskContainer extends orch.node.v1.TaskContainer.$Properties {
            }

            /** Represents a TaskContainer. */
            class TaskContainer {

                /**
                 * Constructs a new TaskContainer.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.TaskContainer.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** TaskContainer id. */
                id: string;

                /** TaskContainer pid. */
                pid: number;

                /** TaskContainer addresses. */
                addresses: string[];

                /**
                 * Encodes the specified TaskContainer message. Does not implicitly {@link orch.node.v1.TaskContainer.verify|verify} messages.
                 * @param message TaskContainer message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.TaskContainer.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a TaskContainer message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.TaskContainer & orch.node.v1.TaskContainer.$Shape} TaskContainer
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.TaskContainer & orch.node.v1.TaskContainer.$Shape;
            }

            namespace TaskContainer {

                /** Properties of a TaskContainer. */
                interface $Properties {

                    /** TaskContainer id */
                    id?: string;

                    /** TaskContainer pid */
                    pid?: number;

                    /** TaskContainer addresses */
                    addresses?: string[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a TaskContainer. */
                type $Shape = orch.node.v1.TaskContainer.$Properties;
            }

            /**
             * Properties of a BoundPort.
             * @deprecated Use orch.node.v1.BoundPort.$Properties instead.
             */
            interface IBoundPort extends orch.node.v1.BoundPort.$Properties {
            }

            /** Represents a BoundPort. */
            class BoundPort {

                /**
                 * Constructs a new BoundPort.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.BoundPort.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** BoundPort protocol. */
                protocol: string;

                /** BoundPort targetPort. */
                targetPort: number;

                /** BoundPort publishedPort. */
                publishedPort: number;

                /**
                 * Encodes the specified BoundPort message. Does not implicitly {@link orch.node.v1.BoundPort.verify|verify} messages.
                 * @param message BoundPort message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.BoundPort.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a BoundPort message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.BoundPort & orch.node.v1.BoundPort.$Shape} BoundPort
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.BoundPort & orch.node.v1.BoundPort.$Shape;
            }

            namespace BoundPort {

                /** Properties of a BoundPort. */
                interface $Properties {

                    /** BoundPort protocol */
                    protocol?: string;

                    /** BoundPort targetPort */
                    targetPort?: number;

                    /** BoundPort publishedPort */
                    publishedPort?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a BoundPort. */
                type $Shape = orch.node.v1.BoundPort.$Properties;
            }

            /**
             * Properties of a ManagerMessage.
             * @deprecated Use orch.node.v1.ManagerMessage.$Properties instead.
             */
            interface IManagerMessage extends orch.node.v1.ManagerMessage.$Properties {
            }

            /** Represents a ManagerMessage. */
            class ManagerMessage {

                /**
                 * Constructs a new ManagerMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.ManagerMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ManagerMessage welcome. */
                welcome: (orch.node.v1.Welcome|null);

                /** ManagerMessage heartbeatAck. */
                heartbeatAck: (orch.node.v1.HeartbeatAck|null);

                /** ManagerMessage assignments. */
                assignments: (orch.node.v1.Assignments|null);

                /** ManagerMessage statusAccepted. */
                statusAccepted: (orch.node.v1.StatusAccepted|null);

                /** ManagerMessage logSubscription. */
                logSubscription: (orch.node.v1.LogSubscription|null);

                /** ManagerMessage logCancel. */
                logCancel: (orch.node.v1.LogCancel|null);

                /** ManagerMessage renewNow. */
                renewNow: (orch.node.v1.RenewNow|null);

                /** ManagerMessage message. */
                message?: ("welcome"|"heartbeatAck"|"assignments"|"statusAccepted"|"logSubscription"|"logCancel"|"renewNow");

                /**
                 * Encodes the specified ManagerMessage message. Does not implicitly {@link orch.node.v1.ManagerMessage.verify|verify} messages.
                 * @param message ManagerMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.ManagerMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ManagerMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.ManagerMessage & orch.node.v1.ManagerMessage.$Shape} ManagerMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.ManagerMessage & orch.node.v1.ManagerMessage.$Shape;
            }

            namespace ManagerMessage {

                /** Properties of a ManagerMessage. */
                interface $Properties {

                    /** ManagerMessage welcome */
                    welcome?: (orch.node.v1.Welcome.$Properties|null);

                    /** ManagerMessage heartbeatAck */
                    heartbeatAck?: (orch.node.v1.HeartbeatAck.$Properties|null);

                    /** ManagerMessage assignments */
                    assignments?: (orch.node.v1.Assignments.$Properties|null);

                    /** ManagerMessage statusAccepted */
                    statusAccepted?: (orch.node.v1.StatusAccepted.$Properties|null);

                    /** ManagerMessage logSubscription */
                    logSubscription?: (orch.node.v1.LogSubscription.$Properties|null);

                    /** ManagerMessage logCancel */
                    logCancel?: (orch.node.v1.LogCancel.$Properties|null);

                    /** ManagerMessage renewNow */
                    renewNow?: (orch.node.v1.RenewNow.$Properties|null);

                    /** ManagerMessage message */
                    message?: ("welcome"|"heartbeatAck"|"assignments"|"statusAccepted"|"logSubscription"|"logCancel"|"renewNow");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ManagerMessage. */
                type $Shape = {
                  welcome?: orch.node.v1.Welcome.$Shape|null;
                  heartbeatAck?: orch.node.v1.HeartbeatAck.$Shape|null;
                  assignments?: orch.node.v1.Assignments.$Shape|null;
                  statusAccepted?: orch.node.v1.StatusAccepted.$Shape|null;
                  logSubscription?: orch.node.v1.LogSubscription.$Shape|null;
                  logCancel?: orch.node.v1.LogCancel.$Shape|null;
                  renewNow?: orch.node.v1.RenewNow.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ message?: undefined; welcome?: null; heartbeatAck?: null; assignments?: null; statusAccepted?: null; logSubscription?: null; logCancel?: null; renewNow?: null }|{ message?: "welcome"; welcome: orch.node.v1.Welcome.$Shape; heartbeatAck?: null; assignments?: null; statusAccepted?: null; logSubscription?: null; logCancel?: null; renewNow?: null }|{ message?: "heartbeatAck"; welcome?: null; heartbeatAck: orch.node.v1.HeartbeatAck.$Shape; assignments?: null; statusAccepted?: null; logSubscription?: null; logCancel?: null; renewNow?: null }|{ message?: "assignments"; welcome?: null; heartbeatAck?: null; assignments: orch.node.v1.Assignments.$Shape; statusAccepted?: null; logSubscription?: null; logCancel?: null; renewNow?: null }|{ message?: "statusAccepted"; welcome?: null; heartbeatAck?: null; assignments?: null; statusAccepted: orch.node.v1.StatusAccepted.$Shape; logSubscription?: null; logCancel?: null; renewNow?: null }|{ message?: "logSubscription"; welcome?: null; heartbeatAck?: null; assignments?: null; statusAccepted?: null; logSubscription: orch.node.v1.LogSubscription.$Shape; logCancel?: null; renewNow?: null }|{ message?: "logCancel"; welcome?: null; heartbeatAck?: null; assignments?: null; statusAccepted?: null; logSubscription?: null; logCancel: orch.node.v1.LogCancel.$Shape; renewNow?: null }|{ message?: "renewNow"; welcome?: null; heartbeatAck?: null; assignments?: null; statusAccepted?: null; logSubscription?: null; logCancel?: null; renewNow: orch.node.v1.RenewNow.$Shape })
                );
            }

            /**
             * Properties of a Welcome.
             * @deprecated Use orch.node.v1.Welcome.$Properties instead.
             */
            interface IWelcome extends orch.node.v1.Welcome.$Properties {
            }

            /** Represents a Welcome. */
            class Welcome {

                /**
                 * Constructs a new Welcome.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.Welcome.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Welcome nodeId. */
                nodeId: string;

                /** Welcome heartbeatPeriodMs. */
                heartbeatPeriodMs: number;

                /** Welcome managers. */
                managers: string[];

                /** Welcome bridgeSubnet. */
                bridgeSubnet: string;

                /** Welcome clusterId. */
                clusterId: string;

                /**
                 * Encodes the specified Welcome message. Does not implicitly {@link orch.node.v1.Welcome.verify|verify} messages.
                 * @param message Welcome message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.Welcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Welcome message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.Welcome & orch.node.v1.Welcome.$Shape} Welcome
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.Welcome & orch.node.v1.Welcome.$Shape;
            }

            namespace Welcome {

                /** Properties of a Welcome. */
                interface $Properties {

                    /** Welcome nodeId */
                    nodeId?: string;

                    /** Welcome heartbeatPeriodMs */
                    heartbeatPeriodMs?: number;

                    /** Welcome managers */
                    managers?: string[];

                    /** Welcome bridgeSubnet */
                    bridgeSubnet?: string;

                    /** Welcome clusterId */
                    clusterId?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Welcome. */
                type $Shape = orch.node.v1.Welcome.$Properties;
            }

            /**
             * Properties of a HeartbeatAck.
             * @deprecated Use orch.node.v1.HeartbeatAck.$Properties instead.
             */
            interface IHeartbeatAck extends orch.node.v1.HeartbeatAck.$Properties {
            }

            /** Represents a HeartbeatAck. */
            class HeartbeatAck {

                /**
                 * Constructs a new HeartbeatAck.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.HeartbeatAck.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HeartbeatAck heartbeatPeriodMs. */
                heartbeatPeriodMs: number;

                /**
                 * Encodes the specified HeartbeatAck message. Does not implicitly {@link orch.node.v1.HeartbeatAck.verify|verify} messages.
                 * @param message HeartbeatAck message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.HeartbeatAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HeartbeatAck message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.HeartbeatAck & orch.node.v1.HeartbeatAck.$Shape} HeartbeatAck
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.HeartbeatAck & orch.node.v1.HeartbeatAck.$Shape;
            }

            namespace HeartbeatAck {

                /** Properties of a HeartbeatAck. */
                interface $Properties {

                    /** HeartbeatAck heartbeatPeriodMs */
                    heartbeatPeriodMs?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HeartbeatAck. */
                type $Shape = orch.node.v1.HeartbeatAck.$Properties;
            }

            /**
             * Properties of a RenewNow.
             * @deprecated Use orch.node.v1.RenewNow.$Properties instead.
             */
            interface IRenewNow extends orch.node.v1.RenewNow.$Properties {
            }

            /** Represents a RenewNow. */
            class RenewNow {

                /**
                 * Constructs a new RenewNow.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.RenewNow.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified RenewNow message. Does not implicitly {@link orch.node.v1.RenewNow.verify|verify} messages.
                 * @param message RenewNow message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.RenewNow.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RenewNow message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.RenewNow & orch.node.v1.RenewNow.$Shape} RenewNow
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.RenewNow & orch.node.v1.RenewNow.$Shape;
            }

            namespace RenewNow {

                /** Properties of a RenewNow. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RenewNow. */
                type $Shape = orch.node.v1.RenewNow.$Properties;
            }

            /**
             * Properties of a StatusAccepted.
             * @deprecated Use orch.node.v1.StatusAccepted.$Properties instead.
             */
            interface IStatusAccepted extends orch.node.v1.StatusAccepted.$Properties {
            }

            /** Represents a StatusAccepted. */
            class StatusAccepted {

                /**
                 * Constructs a new StatusAccepted.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.StatusAccepted.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StatusAccepted sequence. */
                sequence: number;

                /**
                 * Encodes the specified StatusAccepted message. Does not implicitly {@link orch.node.v1.StatusAccepted.verify|verify} messages.
                 * @param message StatusAccepted message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.StatusAccepted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StatusAccepted message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.StatusAccepted & orch.node.v1.StatusAccepted.$Shape} StatusAccepted
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.StatusAccepted & orch.node.v1.StatusAccepted.$Shape;
            }

            namespace StatusAccepted {

                /** Properties of a StatusAccepted. */
                interface $Properties {

                    /** StatusAccepted sequence */
                    sequence?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StatusAccepted. */
                type $Shape = orch.node.v1.StatusAccepted.$Properties;
            }

            /**
             * Properties of an Assignments.
             * @deprecated Use orch.node.v1.Assignments.$Properties instead.
             */
            interface IAssignments extends orch.node.v1.Assignments.$Properties {
            }

            /** Represents an Assignments. */
            class Assignments {

                /**
                 * Constructs a new Assignments.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.Assignments.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Assignments snapshot. */
                snapshot: boolean;

                /** Assignments epoch. */
                epoch: string;

                /** Assignments baseSequence. */
                baseSequence: number;

                /** Assignments sequence. */
                sequence: number;

                /** Assignments tasks. */
                tasks: orch.node.v1.AssignedTask[];

                /** Assignments removedTaskIds. */
                removedTaskIds: string[];

                /** Assignments revisions. */
                revisions: orch.node.v1.AssignedRevision[];

                /** Assignments removedRevisionIds. */
                removedRevisionIds: string[];

                /** Assignments bridgeSubnet. */
                bridgeSubnet: (string|null);

                /**
                 * Encodes the specified Assignments message. Does not implicitly {@link orch.node.v1.Assignments.verify|verify} messages.
                 * @param message Assignments message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.Assignments.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Assignments message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.Assignments & orch.node.v1.Assignments.$Shape} Assignments
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.Assignments & orch.node.v1.Assignments.$Shape;
            }

            namespace Assignments {

                /** Properties of an Assignments. */
                interface $Properties {

                    /** Assignments snapshot */
                    snapshot?: boolean;

                    /** Assignments epoch */
                    epoch?: string;

                    /** Assignments baseSequence */
                    baseSequence?: number;

                    /** Assignments sequence */
                    sequence?: number;

                    /** Assignments tasks */
                    tasks?: orch.node.v1.AssignedTask.$Properties[];

                    /** Assignments removedTaskIds */
                    removedTaskIds?: string[];

                    /** Assignments revisions */
                    revisions?: orch.node.v1.AssignedRevision.$Properties[];

                    /** Assignments removedRevisionIds */
                    removedRevisionIds?: string[];

                    /** Assignments bridgeSubnet */
                    bridgeSubnet?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Assignments. */
                type $Shape = orch.node.v1.Assignments.$Properties;
            }

            /**
             * Properties of an AssignedTask.
             * @deprecated Use orch.node.v1.AssignedTask.$Properties instead.
             */
            interface IAssignedTask extends orch.node.v1.AssignedTask.$Properties {
            }

            /** Represents an AssignedTask. */
            class AssignedTask {

                /**
                 * Constructs a new AssignedTask.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.AssignedTask.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AssignedTask id. */
                id: string;

                /** AssignedTask serviceId. */
                serviceId: string;

                /** AssignedTask serviceName. */
                serviceName: string;

                /** AssignedTask revisionId. */
                revisionId: string;

                /** AssignedTask slot. */
                slot: number;

                /** AssignedTask desired. */
                desired: orch.node.v1.DesiredState;

                /** AssignedTask serviceLabels. */
                serviceLabels: { [k: string]: string };

                /** AssignedTask status. */
                status: orch.node.v1.TaskStatus;

                /**
                 * Encodes the specified AssignedTask message. Does not implicitly {@link orch.node.v1.AssignedTask.verify|verify} messages.
                 * @param message AssignedTask message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.AssignedTask.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AssignedTask message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.AssignedTask & orch.node.v1.AssignedTask.$Shape} AssignedTask
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.AssignedTask & orch.node.v1.AssignedTask.$Shape;
            }

            namespace AssignedTask {

                /** Properties of an AssignedTask. */
                interface $Properties {

                    /** AssignedTask id */
                    id?: string;

                    /** AssignedTask serviceId */
                    serviceId?: string;

                    /** AssignedTask serviceName */
                    serviceName?: string;

                    /** AssignedTask revisionId */
                    revisionId?: string;

                    /** AssignedTask slot */
                    slot?: number;

                    /** AssignedTask desired */
                    desired?: orch.node.v1.DesiredState;

                    /** AssignedTask serviceLabels */
                    serviceLabels?: { [k: string]: string };

                    /** AssignedTask status */
                    status?: orch.node.v1.TaskStatus.$Properties;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AssignedTask. */
                type $Shape = orch.node.v1.AssignedTask.$Properties;
            }

            /**
             * Properties of an AssignedRevision.
             * @deprecated Use orch.node.v1.AssignedRevision.$Properties instead.
             */
            interface IAssignedRevision extends orch.node.v1.AssignedRevision.$Properties {
            }

            /** Represents an AssignedRevision. */
            class AssignedRevision {

                /**
                 * Constructs a new AssignedRevision.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.AssignedRevision.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AssignedRevision id. */
                id: string;

                /** AssignedRevision json. */
                json: string;

                /**
                 * Encodes the specified AssignedRevision message. Does not implicitly {@link orch.node.v1.AssignedRevision.verify|verify} messages.
                 * @param message AssignedRevision message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.AssignedRevision.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AssignedRevision message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.AssignedRevision & orch.node.v1.AssignedRevision.$Shape} AssignedRevision
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.AssignedRevision & orch.node.v1.AssignedRevision.$Shape;
            }

            namespace AssignedRevision {

                /** Properties of an AssignedRevision. */
                interface $Properties {

                    /** AssignedRevision id */
                    id?: string;

                    /** AssignedRevision json */
                    json?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AssignedRevision. */
                type $Shape = orch.node.v1.AssignedRevision.$Properties;
            }

            /**
             * Properties of a LogSubscription.
             * @deprecated Use orch.node.v1.LogSubscription.$Properties instead.
             */
            interface ILogSubscription extends orch.node.v1.LogSubscription.$Properties {
            }

            /** Represents a LogSubscription. */
            class LogSubscription {

                /**
                 * Constructs a new LogSubscription.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.LogSubscription.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LogSubscription id. */
                id: string;

                /** LogSubscription taskId. */
                taskId: string;

                /** LogSubscription stdout. */
                stdout: boolean;

                /** LogSubscription stderr. */
                stderr: boolean;

                /** LogSubscription follow. */
                follow: boolean;

                /** LogSubscription sinceMs. */
                sinceMs: number;

                /** LogSubscription untilMs. */
                untilMs: number;

                /** LogSubscription tail. */
                tail: (number|null);

                /**
                 * Encodes the specified LogSubscription message. Does not implicitly {@link orch.node.v1.LogSubscription.verify|verify} messages.
                 * @param message LogSubscription message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.LogSubscription.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LogSubscription message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.LogSubscription & orch.node.v1.LogSubscription.$Shape} LogSubscription
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.LogSubscription & orch.node.v1.LogSubscription.$Shape;
            }

            namespace LogSubscription {

                /** Properties of a LogSubscription. */
                interface $Properties {

                    /** LogSubscription id */
                    id?: string;

                    /** LogSubscription taskId */
                    taskId?: string;

                    /** LogSubscription stdout */
                    stdout?: boolean;

                    /** LogSubscription stderr */
                    stderr?: boolean;

                    /** LogSubscription follow */
                    follow?: boolean;

                    /** LogSubscription sinceMs */
                    sinceMs?: number;

                    /** LogSubscription untilMs */
                    untilMs?: number;

                    /** LogSubscription tail */
                    tail?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LogSubscription. */
                type $Shape = orch.node.v1.LogSubscription.$Properties;
            }

            /**
             * Properties of a LogCancel.
             * @deprecated Use orch.node.v1.LogCancel.$Properties instead.
             */
            interface ILogCancel extends orch.node.v1.LogCancel.$Properties {
            }

            /** Represents a LogCancel. */
            class LogCancel {

                /**
                 * Constructs a new LogCancel.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.LogCancel.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LogCancel id. */
                id: string;

                /**
                 * Encodes the specified LogCancel message. Does not implicitly {@link orch.node.v1.LogCancel.verify|verify} messages.
                 * @param message LogCancel message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.LogCancel.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LogCancel message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.LogCancel & orch.node.v1.LogCancel.$Shape} LogCancel
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.LogCancel & orch.node.v1.LogCancel.$Shape;
            }

            namespace LogCancel {

                /** Properties of a LogCancel. */
                interface $Properties {

                    /** LogCancel id */
                    id?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LogCancel. */
                type $Shape = orch.node.v1.LogCancel.$Properties;
            }

            /**
             * Properties of a LogMessage.
             * @deprecated Use orch.node.v1.LogMessage.$Properties instead.
             */
            interface ILogMessage extends orch.node.v1.LogMessage.$Properties {
            }

            /** Represents a LogMessage. */
            class LogMessage {

                /**
                 * Constructs a new LogMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.LogMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LogMessage subscriptionId. */
                subscriptionId: string;

                /** LogMessage records. */
                records: orch.node.v1.LogRecord[];

                /** LogMessage error. */
                error: (string|null);

                /**
                 * Encodes the specified LogMessage message. Does not implicitly {@link orch.node.v1.LogMessage.verify|verify} messages.
                 * @param message LogMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.LogMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LogMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.LogMessage & orch.node.v1.LogMessage.$Shape} LogMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.LogMessage & orch.node.v1.LogMessage.$Shape;
            }

            namespace LogMessage {

                /** Properties of a LogMessage. */
                interface $Properties {

                    /** LogMessage subscriptionId */
                    subscriptionId?: string;

                    /** LogMessage records */
                    records?: orch.node.v1.LogRecord.$Properties[];

                    /** LogMessage error */
                    error?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LogMessage. */
                type $Shape = orch.node.v1.LogMessage.$Properties;
            }

            /**
             * Properties of a LogRecord.
             * @deprecated Use orch.node.v1.LogRecord.$Properties instead.
             */
            interface ILogRecord extends orch.node.v1.LogRecord.$Properties {
            }

            /** Represents a LogRecord. */
            class LogRecord {

                /**
                 * Constructs a new LogRecord.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.LogRecord.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LogRecord stderr. */
                stderr: boolean;

                /** LogRecord time. */
                time: string;

                /** LogRecord line. */
                line: Uint8Array;

                /** LogRecord partial. */
                partial: boolean;

                /**
                 * Encodes the specified LogRecord message. Does not implicitly {@link orch.node.v1.LogRecord.verify|verify} messages.
                 * @param message LogRecord message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.LogRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LogRecord message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.LogRecord & orch.node.v1.LogRecord.$Shape} LogRecord
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.LogRecord & orch.node.v1.LogRecord.$Shape;
            }

            namespace LogRecord {

                /** Properties of a LogRecord. */
                interface $Properties {

                    /** LogRecord stderr */
                    stderr?: boolean;

                    /** LogRecord time */
                    time?: string;

                    /** LogRecord line */
                    line?: Uint8Array;

                    /** LogRecord partial */
                    partial?: boolean;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LogRecord. */
                type $Shape = orch.node.v1.LogRecord.$Properties;
            }

            /**
             * Properties of a PublishLogsResponse.
             * @deprecated Use orch.node.v1.PublishLogsResponse.$Properties instead.
             */
            interface IPublishLogsResponse extends orch.node.v1.PublishLogsResponse.$Properties {
            }

            /** Represents a PublishLogsResponse. */
            class PublishLogsResponse {

                /**
                 * Constructs a new PublishLogsResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.PublishLogsResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified PublishLogsResponse message. Does not implicitly {@link orch.node.v1.PublishLogsResponse.verify|verify} messages.
                 * @param message PublishLogsResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.PublishLogsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PublishLogsResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.PublishLogsResponse & orch.node.v1.PublishLogsResponse.$Shape} PublishLogsResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.PublishLogsResponse & orch.node.v1.PublishLogsResponse.$Shape;
            }

            namespace PublishLogsResponse {

                /** Properties of a PublishLogsResponse. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PublishLogsResponse. */
                type $Shape = orch.node.v1.PublishLogsResponse.$Properties;
            }

            /**
             * Properties of a RenewCertificateRequest.
             * @deprecated Use orch.node.v1.RenewCertificateRequest.$Properties instead.
             */
            interface IRenewCertificateRequest extends orch.node.v1.RenewCertificateRequest.$Properties {
            }

            /** Represents a RenewCertificateRequest. */
            class RenewCertificateRequest {

                /**
                 * Constructs a new RenewCertificateRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.RenewCertificateRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RenewCertificateRequest csrPem. */
                csrPem: string;

                /**
                 * Encodes the specified RenewCertificateRequest message. Does not implicitly {@link orch.node.v1.RenewCertificateRequest.verify|verify} messages.
                 * @param message RenewCertificateRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.RenewCertificateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RenewCertificateRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.RenewCertificateRequest & orch.node.v1.RenewCertificateRequest.$Shape} RenewCertificateRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.RenewCertificateRequest & orch.node.v1.RenewCertificateRequest.$Shape;
            }

            namespace RenewCertificateRequest {

                /** Properties of a RenewCertificateRequest. */
                interface $Properties {

                    /** RenewCertificateRequest csrPem */
                    csrPem?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RenewCertificateRequest. */
                type $Shape = orch.node.v1.RenewCertificateRequest.$Properties;
            }

            /**
             * Properties of a RenewCertificateResponse.
             * @deprecated Use orch.node.v1.RenewCertificateResponse.$Properties instead.
             */
            interface IRenewCertificateResponse extends orch.node.v1.RenewCertificateResponse.$Properties {
            }

            /** Represents a RenewCertificateResponse. */
            class RenewCertificateResponse {

                /**
                 * Constructs a new RenewCertificateResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.node.v1.RenewCertificateResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RenewCertificateResponse certificatePem. */
                certificatePem: string;

                /** RenewCertificateResponse caPem. */
                caPem: string;

                /**
                 * Encodes the specified RenewCertificateResponse message. Does not implicitly {@link orch.node.v1.RenewCertificateResponse.verify|verify} messages.
                 * @param message RenewCertificateResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.node.v1.RenewCertificateResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RenewCertificateResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.node.v1.RenewCertificateResponse & orch.node.v1.RenewCertificateResponse.$Shape} RenewCertificateResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.node.v1.RenewCertificateResponse & orch.node.v1.RenewCertificateResponse.$Shape;
            }

            namespace RenewCertificateResponse {

                /** Properties of a RenewCertificateResponse. */
                interface $Properties {

                    /** RenewCertificateResponse certificatePem */
                    certificatePem?: string;

                    /** RenewCertificateResponse caPem */
                    caPem?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RenewCertificateResponse. */
                type $Shape = orch.node.v1.RenewCertificateResponse.$Properties;
            }
        }
    }
}
