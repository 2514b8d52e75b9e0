import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace turbotls. */
export namespace turbotls {

    /** Namespace control. */
    namespace control {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a ToWorker.
             * @deprecated Use turbotls.control.v1.ToWorker.$Properties instead.
             */
            interface IToWorker extends turbotls.control.v1.ToWorker.$Properties {
            }

            /** Represents a ToWorker. */
            class ToWorker {

                /**
                 * Constructs a new ToWorker.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.ToWorker.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ToWorker request. */
                request: number;

                /** ToWorker plan. */
                plan?: (turbotls.control.v1.Plan.$Properties|null);

                /** ToWorker look. */
                look?: (turbotls.control.v1.Look.$Properties|null);

                /** ToWorker order. */
                order?: ("plan"|"look");

                /**
                 * Creates a new ToWorker instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ToWorker instance
                 */
                static create(properties: turbotls.control.v1.ToWorker.$Shape): turbotls.control.v1.ToWorker & turbotls.control.v1.ToWorker.$Shape;
                static create(properties?: turbotls.control.v1.ToWorker.$Properties): turbotls.control.v1.ToWorker;

                /**
                 * Encodes the specified ToWorker message. Does not implicitly {@link turbotls.control.v1.ToWorker.verify|verify} messages.
                 * @param message ToWorker message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.ToWorker.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ToWorker message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.ToWorker & turbotls.control.v1.ToWorker.$Shape} ToWorker
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.ToWorker & turbotls.control.v1.ToWorker.$Shape;
            }

            namespace ToWorker {

                /** Properties of a ToWorker. */
                interface $Properties {

                    /** ToWorker request */
                    request?: (number|null);

                    /** ToWorker plan */
                    plan?: (turbotls.control.v1.Plan.$Properties|null);

                    /** ToWorker look */
                    look?: (turbotls.control.v1.Look.$Properties|null);

                    /** ToWorker order */
                    order?: ("plan"|"look");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ToWorker. */
                type $Shape = {
                  request?: number|null;
                  plan?: turbotls.control.v1.Plan.$Shape|null;
                  look?: turbotls.control.v1.Look.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ order?: undefined; plan?: null; look?: null }|{ order?: "plan"; plan: turbotls.control.v1.Plan.$Shape; look?: null }|{ order?: "look"; plan?: null; look: turbotls.control.v1.Look.$Shape })
                );
            }

            /**
             * Properties of a Plan.
             * @deprecated Use turbotls.control.v1.Plan.$Properties instead.
             */
            interface IPlan extends turbotls.control.v1.Plan.$Properties {
            }

            /** Represents a Plan. */
            class Plan {

                /**
                 * Constructs a new Plan.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.Plan.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Plan text. */
                text: string;

                /** Plan workers. */
                workers: number;

                /**
                 * Creates a new Plan instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Plan instance
                 */
                static create(properties: turbotls.control.v1.Plan.$Shape): turbotls.control.v1.Plan & turbotls.control.v1.Plan.$Shape;
                static create(properties?: turbotls.control.v1.Plan.$Properties): turbotls.control.v1.Plan;

                /**
                 * Encodes the specified Plan message. Does not implicitly {@link turbotls.control.v1.Plan.verify|verify} messages.
                 * @param message Plan message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.Plan.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Plan message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Plan & turbotls.control.v1.Plan.$Shape} Plan
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.Plan & turbotls.control.v1.Plan.$Shape;
            }

            namespace Plan {

                /** Properties of a Plan. */
                interface $Properties {

                    /** Plan text */
                    text?: (string|null);

                    /** Plan workers */
                    workers?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Plan. */
                type $Shape = turbotls.control.v1.Plan.$Properties;
            }

            /**
             * Properties of a Look.
             * @deprecated Use turbotls.control.v1.Look.$Properties instead.
             */
            interface ILook extends turbotls.control.v1.Look.$Properties {
            }

            /** Represents a Look. */
            class Look {

                /**
                 * Constructs a new Look.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.Look.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Creates a new Look instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Look instance
                 */
                static create(properties: turbotls.control.v1.Look.$Shape): turbotls.control.v1.Look & turbotls.control.v1.Look.$Shape;
                static create(properties?: turbotls.control.v1.Look.$Properties): turbotls.control.v1.Look;

                /**
                 * Encodes the specified Look message. Does not implicitly {@link turbotls.control.v1.Look.verify|verify} messages.
                 * @param message Look message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.Look.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Look message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Look & turbotls.control.v1.Look.$Shape} Look
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.Look & turbotls.control.v1.Look.$Shape;
            }

            namespace Look {

                /** Properties of a Look. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Look. */
                type $Shape = turbotls.control.v1.Look.$Properties;
            }

            /**
             * Properties of a ToMain.
             * @deprecated Use turbotls.control.v1.ToMain.$Properties instead.
             */
            interface IToMain extends turbotls.control.v1.ToMain.$Properties {
            }

            /** Represents a ToMain. */
            class ToMain {

                /**
                 * Constructs a new ToMain.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.ToMain.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ToMain request. */
                request: number;

                /** ToMain failure. */
                failure?: (turbotls.control.v1.Failure.$Properties|null);

                /** ToMain report. */
                report?: (turbotls.control.v1.Report.$Properties|null);

                /** ToMain new. */
                new: boolean;

                /** ToMain spent. */
                spent: boolean;

                /**
                 * Creates a new ToMain instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ToMain instance
                 */
                static create(properties: turbotls.control.v1.ToMain.$Shape): turbotls.control.v1.ToMain & turbotls.control.v1.ToMain.$Shape;
                static create(properties?: turbotls.control.v1.ToMain.$Properties): turbotls.control.v1.ToMain;

                /**
                 * Encodes the specified ToMain message. Does not implicitly {@link turbotls.control.v1.ToMain.verify|verify} messages.
                 * @param message ToMain message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.ToMain.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ToMain message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.ToMain & turbotls.control.v1.ToMain.$Shape} ToMain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.ToMain & turbotls.control.v1.ToMain.$Shape;
            }

            namespace ToMain {

                /** Properties of a ToMain. */
                interface $Properties {

                    /** ToMain request */
                    request?: (number|null);

                    /** ToMain failure */
                    failure?: (turbotls.control.v1.Failure.$Properties|null);

                    /** ToMain report */
                    report?: (turbotls.control.v1.Report.$Properties|null);

                    /** ToMain new */
                    "new"?: (boolean|null);

                    /** ToMain spent */
                    spent?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ToMain. */
                type $Shape = turbotls.control.v1.ToMain.$Properties;
            }

            /**
             * Properties of a Report.
             * @deprecated Use turbotls.control.v1.Report.$Properties instead.
             */
            interface IReport extends turbotls.control.v1.Report.$Properties {
            }

            /** Represents a Report. */
            class Report {

                /**
                 * Constructs a new Report.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.Report.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Report metrics. */
                metrics: string;

                /** Report notReady. */
                notReady: string[];

                /** Report notListening. */
                notListening: string[];

                /**
                 * Creates a new Report instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Report instance
                 */
                static create(properties: turbotls.control.v1.Report.$Shape): turbotls.control.v1.Report & turbotls.control.v1.Report.$Shape;
                static create(properties?: turbotls.control.v1.Report.$Properties): turbotls.control.v1.Report;

                /**
                 * Encodes the specified Report message. Does not implicitly {@link turbotls.control.v1.Report.verify|verify} messages.
                 * @param message Report message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.Report.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Report message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Report & turbotls.control.v1.Report.$Shape} Report
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.Report & turbotls.control.v1.Report.$Shape;
            }

            namespace Report {

                /** Properties of a Report. */
                interface $Properties {

                    /** Report metrics */
                    metrics?: (string|null);

                    /** Report notReady */
                    notReady?: (string[]|null);

                    /** Report notListening */
                    notListening?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Report. */
                type $Shape = turbotls.control.v1.Report.$Properties;
            }

            /**
             * Properties of a Failure.
             * @deprecated Use turbotls.control.v1.Failure.$Properties instead.
             */
            interface IFailure extends turbotls.control.v1.Failure.$Properties {
            }

            /** Represents a Failure. */
            class Failure {

                /**
                 * Constructs a new Failure.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.Failure.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Failure code. */
                code: string;

                /** Failure message. */
                message: string;

                /** Failure cause. */
                cause?: (turbotls.control.v1.Failure.$Properties|null);

                /** Failure problems. */
                problems: turbotls.control.v1.Problem.$Properties[];

                /** Failure source. */
                source: string;

                /**
                 * Creates a new Failure instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Failure instance
                 */
                static create(properties: turbotls.control.v1.Failure.$Shape): turbotls.control.v1.Failure & turbotls.control.v1.Failure.$Shape;
                static create(properties?: turbotls.control.v1.Failure.$Properties): turbotls.control.v1.Failure;

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link turbotls.control.v1.Failure.verify|verify} messages.
                 * @param message Failure message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.Failure.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Failure & turbotls.control.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.Failure & turbotls.control.v1.Failure.$Shape;
            }

            namespace Failure {

                /** Properties of a Failure. */
                interface $Properties {

                    /** Failure code */
                    code?: (string|null);

                    /** Failure message */
                    message?: (string|null);

                    /** Failure cause */
                    cause?: (turbotls.control.v1.Failure.$Properties|null);

                    /** Failure problems */
                    problems?: (turbotls.control.v1.Problem.$Properties[]|null);

                    /** Failure source */
                    source?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Failure. */
                type $Shape = turbotls.control.v1.Failure.$Properties;
            }

            /**
             * Properties of a Problem.
             * @deprecated Use turbotls.control.v1.Problem.$Properties instead.
             */
            interface IProblem extends turbotls.control.v1.Problem.$Properties {
            }

            /** Represents a Problem. */
            class Problem {

                /**
                 * Constructs a new Problem.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.control.v1.Problem.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Problem path. */
                path: string;

                /** Problem message. */
                message: string;

                /** Problem line. */
                line: number;

                /**
                 * Creates a new Problem instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Problem instance
                 */
                static create(properties: turbotls.control.v1.Problem.$Shape): turbotls.control.v1.Problem & turbotls.control.v1.Problem.$Shape;
                static create(properties?: turbotls.control.v1.Problem.$Properties): turbotls.control.v1.Problem;

                /**
                 * Encodes the specified Problem message. Does not implicitly {@link turbotls.control.v1.Problem.verify|verify} messages.
                 * @param message Problem message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.control.v1.Problem.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Problem message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Problem & turbotls.control.v1.Problem.$Shape} Problem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.control.v1.Problem & turbotls.control.v1.Problem.$Shape;
            }

            namespace Problem {

                /** Properties of a Problem. */
                interface $Properties {

                    /** Problem path */
                    path?: (string|null);

                    /** Problem message */
                    message?: (string|null);

                    /** Problem line */
                    line?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Problem. */
                type $Shape = turbotls.control.v1.Problem.$Properties;
            }
        }
    }
}
