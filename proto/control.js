/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["control"] || ($protobuf.roots["control"] = {});

export const turbotls = $root.turbotls = (() => {

    /**
     * Namespace turbotls.
     * @exports turbotls
     * @namespace
     */
    const turbotls = {};

    turbotls.control = (function() {

        /**
         * Namespace control.
         * @memberof turbotls
         * @namespace
         */
        const control = {};

        control.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof turbotls.control
             * @namespace
             */
            const v1 = {};

            v1.ToWorker = (function() {

                /**
                 * Properties of a ToWorker.
                 * @typedef {Object} turbotls.control.v1.ToWorker.$Properties
                 * @property {number|null} [request] ToWorker request
                 * @property {turbotls.control.v1.Plan.$Properties|null} [plan] ToWorker plan
                 * @property {turbotls.control.v1.Look.$Properties|null} [look] ToWorker look
                 * @property {"plan"|"look"} [order] ToWorker order
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ToWorker.
                 * @memberof turbotls.control.v1
                 * @interface IToWorker
                 * @augments turbotls.control.v1.ToWorker.$Properties
                 * @deprecated Use turbotls.control.v1.ToWorker.$Properties instead.
                 */

                /**
                 * Narrowed shape of a ToWorker.
                 * @typedef {{
                 *   request?: number|null;
                 *   plan?: turbotls.control.v1.Plan.$Shape|null;
                 *   look?: turbotls.control.v1.Look.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ order?: undefined; plan?: null; look?: null }|{ order?: "plan"; plan: turbotls.control.v1.Plan.$Shape; look?: null }|{ order?: "look"; plan?: null; look: turbotls.control.v1.Look.$Shape })
                 * )} turbotls.control.v1.ToWorker.$Shape
                 */

                /**
                 * Constructs a new ToWorker.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a ToWorker.
                 * @constructor
                 * @param {turbotls.control.v1.ToWorker.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ToWorker = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ToWorker request.
                 * @member {number} request
                 * @memberof turbotls.control.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.request = 0;

                /**
                 * ToWorker plan.
                 * @member {turbotls.control.v1.Plan.$Properties|null|undefined} plan
                 * @memberof turbotls.control.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.plan = null;

                /**
                 * ToWorker look.
                 * @member {turbotls.control.v1.Look.$Properties|null|undefined} look
                 * @memberof turbotls.control.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.look = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * ToWorker order.
                 * @member {"plan"|"look"|undefined} order
                 * @memberof turbotls.control.v1.ToWorker
                 * @instance
                 */
                $Object.defineProperty(ToWorker.prototype, "order", {
                    get: $util.oneOfGetter($oneOfFields = ["plan", "look"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new ToWorker instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.ToWorker
                 * @static
                 * @param {turbotls.control.v1.ToWorker.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.ToWorker} ToWorker instance
                 * @type {{
                 *   (properties: turbotls.control.v1.ToWorker.$Shape): turbotls.control.v1.ToWorker & turbotls.control.v1.ToWorker.$Shape;
                 *   (properties?: turbotls.control.v1.ToWorker.$Properties): turbotls.control.v1.ToWorker;
                 * }}
                 */
                ToWorker.create = function(properties) {
                    return new ToWorker(properties);
                };

                /**
                 * Encodes the specified ToWorker message. Does not implicitly {@link turbotls.control.v1.ToWorker.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.ToWorker
                 * @static
                 * @param {turbotls.control.v1.ToWorker.$Properties} message ToWorker message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ToWorker.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.request != null && $Object.hasOwnProperty.call(message, "request") && message.request !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.request);
                    if (message.plan != null && $Object.hasOwnProperty.call(message, "plan"))
                        $root.turbotls.control.v1.Plan.encode(message.plan, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.look != null && $Object.hasOwnProperty.call(message, "look"))
                        $root.turbotls.control.v1.Look.encode(message.look, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ToWorker message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.ToWorker
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.ToWorker & turbotls.control.v1.ToWorker.$Shape} ToWorker
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ToWorker.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.ToWorker();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.request = value;
                                else
                                    delete message.request;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.plan = $root.turbotls.control.v1.Plan.decode(reader, reader.size(), $undefined, _depth + 1, message.plan);
                                message.order = "plan";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.look = $root.turbotls.control.v1.Look.decode(reader, reader.size(), $undefined, _depth + 1, message.look);
                                message.order = "look";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ToWorker;
            })();

            v1.Plan = (function() {

                /**
                 * Properties of a Plan.
                 * @typedef {Object} turbotls.control.v1.Plan.$Properties
                 * @property {string|null} [text] Plan text
                 * @property {number|null} [workers] Plan workers
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Plan.
                 * @memberof turbotls.control.v1
                 * @interface IPlan
                 * @augments turbotls.control.v1.Plan.$Properties
                 * @deprecated Use turbotls.control.v1.Plan.$Properties instead.
                 */

                /**
                 * Shape of a Plan.
                 * @typedef {turbotls.control.v1.Plan.$Properties} turbotls.control.v1.Plan.$Shape
                 */

                /**
                 * Constructs a new Plan.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a Plan.
                 * @constructor
                 * @param {turbotls.control.v1.Plan.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Plan = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Plan text.
                 * @member {string} text
                 * @memberof turbotls.control.v1.Plan
                 * @instance
                 */
                Plan.prototype.text = "";

                /**
                 * Plan workers.
                 * @member {number} workers
                 * @memberof turbotls.control.v1.Plan
                 * @instance
                 */
                Plan.prototype.workers = 0;

                /**
                 * Creates a new Plan instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.Plan
                 * @static
                 * @param {turbotls.control.v1.Plan.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.Plan} Plan instance
                 * @type {{
                 *   (properties: turbotls.control.v1.Plan.$Shape): turbotls.control.v1.Plan & turbotls.control.v1.Plan.$Shape;
                 *   (properties?: turbotls.control.v1.Plan.$Properties): turbotls.control.v1.Plan;
                 * }}
                 */
                Plan.create = function(properties) {
                    return new Plan(properties);
                };

                /**
                 * Encodes the specified Plan message. Does not implicitly {@link turbotls.control.v1.Plan.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.Plan
                 * @static
                 * @param {turbotls.control.v1.Plan.$Properties} message Plan message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Plan.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.text != null && $Object.hasOwnProperty.call(message, "text") && message.text !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.text);
                    if (message.workers != null && $Object.hasOwnProperty.call(message, "workers") && message.workers !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.workers);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Plan message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.Plan
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Plan & turbotls.control.v1.Plan.$Shape} Plan
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Plan.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.Plan();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.text = value;
                                else
                                    delete message.text;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.workers = value;
                                else
                                    delete message.workers;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Plan;
            })();

            v1.Look = (function() {

                /**
                 * Properties of a Look.
                 * @typedef {Object} turbotls.control.v1.Look.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Look.
                 * @memberof turbotls.control.v1
                 * @interface ILook
                 * @augments turbotls.control.v1.Look.$Properties
                 * @deprecated Use turbotls.control.v1.Look.$Properties instead.
                 */

                /**
                 * Shape of a Look.
                 * @typedef {turbotls.control.v1.Look.$Properties} turbotls.control.v1.Look.$Shape
                 */

                /**
                 * Constructs a new Look.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a Look.
                 * @constructor
                 * @param {turbotls.control.v1.Look.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Look = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Creates a new Look instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.Look
                 * @static
                 * @param {turbotls.control.v1.Look.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.Look} Look instance
                 * @type {{
                 *   (properties: turbotls.control.v1.Look.$Shape): turbotls.control.v1.Look & turbotls.control.v1.Look.$Shape;
                 *   (properties?: turbotls.control.v1.Look.$Properties): turbotls.control.v1.Look;
                 * }}
                 */
                Look.create = function(properties) {
                    return new Look(properties);
                };

                /**
                 * Encodes the specified Look message. Does not implicitly {@link turbotls.control.v1.Look.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.Look
                 * @static
                 * @param {turbotls.control.v1.Look.$Properties} message Look message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Look.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Look message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.Look
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Look & turbotls.control.v1.Look.$Shape} Look
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Look.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.Look();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Look;
            })();

            v1.ToMain = (function() {

                /**
                 * Properties of a ToMain.
                 * @typedef {Object} turbotls.control.v1.ToMain.$Properties
                 * @property {number|null} [request] ToMain request
                 * @property {turbotls.control.v1.Failure.$Properties|null} [failure] ToMain failure
                 * @property {turbotls.control.v1.Report.$Properties|null} [report] ToMain report
                 * @property {boolean|null} ["new"] ToMain new
                 * @property {boolean|null} [spent] ToMain spent
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ToMain.
                 * @memberof turbotls.control.v1
                 * @interface IToMain
                 * @augments turbotls.control.v1.ToMain.$Properties
                 * @deprecated Use turbotls.control.v1.ToMain.$Properties instead.
                 */

                /**
                 * Shape of a ToMain.
                 * @typedef {turbotls.control.v1.ToMain.$Properties} turbotls.control.v1.ToMain.$Shape
                 */

                /**
                 * Constructs a new ToMain.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a ToMain.
                 * @constructor
                 * @param {turbotls.control.v1.ToMain.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ToMain = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ToMain request.
                 * @member {number} request
                 * @memberof turbotls.control.v1.ToMain
                 * @instance
                 */
                ToMain.prototype.request = 0;

                /**
                 * ToMain failure.
                 * @member {turbotls.control.v1.Failure.$Properties|null|undefined} failure
                 * @memberof turbotls.control.v1.ToMain
                 * @instance
                 */
                ToMain.prototype.failure = null;

                /**
                 * ToMain report.
                 * @member {turbotls.control.v1.Report.$Properties|null|undefined} report
                 * @memberof turbotls.control.v1.ToMain
                 * @instance
                 */
                ToMain.prototype.report = null;

                /**
                 * ToMain new.
                 * @member {boolean} new
                 * @memberof turbotls.control.v1.ToMain
                 * @instance
                 */
                ToMain.prototype["new"] = false;

                /**
                 * ToMain spent.
                 * @member {boolean} spent
                 * @memberof turbotls.control.v1.ToMain
                 * @instance
                 */
                ToMain.prototype.spent = false;

                /**
                 * Creates a new ToMain instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.ToMain
                 * @static
                 * @param {turbotls.control.v1.ToMain.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.ToMain} ToMain instance
                 * @type {{
                 *   (properties: turbotls.control.v1.ToMain.$Shape): turbotls.control.v1.ToMain & turbotls.control.v1.ToMain.$Shape;
                 *   (properties?: turbotls.control.v1.ToMain.$Properties): turbotls.control.v1.ToMain;
                 * }}
                 */
                ToMain.create = function(properties) {
                    return new ToMain(properties);
                };

                /**
                 * Encodes the specified ToMain message. Does not implicitly {@link turbotls.control.v1.ToMain.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.ToMain
                 * @static
                 * @param {turbotls.control.v1.ToMain.$Properties} message ToMain message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ToMain.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.request != null && $Object.hasOwnProperty.call(message, "request") && message.request !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.request);
                    if (message.failure != null && $Object.hasOwnProperty.call(message, "failure"))
                        $root.turbotls.control.v1.Failure.encode(message.failure, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.report != null && $Object.hasOwnProperty.call(message, "report"))
                        $root.turbotls.control.v1.Report.encode(message.report, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message["new"] != null && $Object.hasOwnProperty.call(message, "new") && message["new"] !== false)
                        writer.uint32(/* id 4, wireType 0 =*/32).bool(message["new"]);
                    if (message.spent != null && $Object.hasOwnProperty.call(message, "spent") && message.spent !== false)
                        writer.uint32(/* id 5, wireType 0 =*/40).bool(message.spent);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ToMain message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.ToMain
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.ToMain & turbotls.control.v1.ToMain.$Shape} ToMain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ToMain.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.ToMain();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.request = value;
                                else
                                    delete message.request;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.failure = $root.turbotls.control.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.failure);
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.report = $root.turbotls.control.v1.Report.decode(reader, reader.size(), $undefined, _depth + 1, message.report);
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message["new"] = value;
                                else
                                    delete message["new"];
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.spent = value;
                                else
                                    delete message.spent;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ToMain;
            })();

            v1.Report = (function() {

                /**
                 * Properties of a Report.
                 * @typedef {Object} turbotls.control.v1.Report.$Properties
                 * @property {string|null} [metrics] Report metrics
                 * @property {Array.<string>|null} [notReady] Report notReady
                 * @property {Array.<string>|null} [notListening] Report notListening
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Report.
                 * @memberof turbotls.control.v1
                 * @interface IReport
                 * @augments turbotls.control.v1.Report.$Properties
                 * @deprecated Use turbotls.control.v1.Report.$Properties instead.
                 */

                /**
                 * Shape of a Report.
                 * @typedef {turbotls.control.v1.Report.$Properties} turbotls.control.v1.Report.$Shape
                 */

                /**
                 * Constructs a new Report.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a Report.
                 * @constructor
                 * @param {turbotls.control.v1.Report.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Report = function (properties) {
                    this.notReady = [];
                    this.notListening = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Report metrics.
                 * @member {string} metrics
                 * @memberof turbotls.control.v1.Report
                 * @instance
                 */
                Report.prototype.metrics = "";

                /**
                 * Report notReady.
                 * @member {Array.<string>} notReady
                 * @memberof turbotls.control.v1.Report
                 * @instance
                 */
                Report.prototype.notReady = $util.emptyArray;

                /**
                 * Report notListening.
                 * @member {Array.<string>} notListening
                 * @memberof turbotls.control.v1.Report
                 * @instance
                 */
                Report.prototype.notListening = $util.emptyArray;

                /**
                 * Creates a new Report instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.Report
                 * @static
                 * @param {turbotls.control.v1.Report.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.Report} Report instance
                 * @type {{
                 *   (properties: turbotls.control.v1.Report.$Shape): turbotls.control.v1.Report & turbotls.control.v1.Report.$Shape;
                 *   (properties?: turbotls.control.v1.Report.$Properties): turbotls.control.v1.Report;
                 * }}
                 */
                Report.create = function(properties) {
                    return new Report(properties);
                };

                /**
                 * Encodes the specified Report message. Does not implicitly {@link turbotls.control.v1.Report.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.Report
                 * @static
                 * @param {turbotls.control.v1.Report.$Properties} message Report message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Report.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.metrics != null && $Object.hasOwnProperty.call(message, "metrics") && message.metrics !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.metrics);
                    if (message.notReady != null && message.notReady.length)
                        for (let i = 0; i < message.notReady.length; ++i)
                            writer.uint32(/* id 2, wireType 2 =*/18).string(message.notReady[i]);
                    if (message.notListening != null && message.notListening.length)
                        for (let i = 0; i < message.notListening.length; ++i)
                            writer.uint32(/* id 3, wireType 2 =*/26).string(message.notListening[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Report message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.Report
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Report & turbotls.control.v1.Report.$Shape} Report
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Report.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.Report();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.metrics = value;
                                else
                                    delete message.metrics;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.notReady && message.notReady.length))
                                    message.notReady = [];
                                message.notReady.push(reader.stringVerify());
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.notListening && message.notListening.length))
                                    message.notListening = [];
                                message.notListening.push(reader.stringVerify());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Report;
            })();

            v1.Failure = (function() {

                /**
                 * Properties of a Failure.
                 * @typedef {Object} turbotls.control.v1.Failure.$Properties
                 * @property {string|null} [code] Failure code
                 * @property {string|null} [message] Failure message
                 * @property {turbotls.control.v1.Failure.$Properties|null} [cause] Failure cause
                 * @property {Array.<turbotls.control.v1.Problem.$Properties>|null} [problems] Failure problems
                 * @property {string|null} [source] Failure source
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Failure.
                 * @memberof turbotls.control.v1
                 * @interface IFailure
                 * @augments turbotls.control.v1.Failure.$Properties
                 * @deprecated Use turbotls.control.v1.Failure.$Properties instead.
                 */

                /**
                 * Shape of a Failure.
                 * @typedef {turbotls.control.v1.Failure.$Properties} turbotls.control.v1.Failure.$Shape
                 */

                /**
                 * Constructs a new Failure.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a Failure.
                 * @constructor
                 * @param {turbotls.control.v1.Failure.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Failure = function (properties) {
                    this.problems = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Failure code.
                 * @member {string} code
                 * @memberof turbotls.control.v1.Failure
                 * @instance
                 */
                Failure.prototype.code = "";

                /**
                 * Failure message.
                 * @member {string} message
                 * @memberof turbotls.control.v1.Failure
                 * @instance
                 */
                Failure.prototype.message = "";

                /**
                 * Failure cause.
                 * @member {turbotls.control.v1.Failure.$Properties|null|undefined} cause
                 * @memberof turbotls.control.v1.Failure
                 * @instance
                 */
                Failure.prototype.cause = null;

                /**
                 * Failure problems.
                 * @member {Array.<turbotls.control.v1.Problem.$Properties>} problems
                 * @memberof turbotls.control.v1.Failure
                 * @instance
                 */
                Failure.prototype.problems = $util.emptyArray;

                /**
                 * Failure source.
                 * @member {string} source
                 * @memberof turbotls.control.v1.Failure
                 * @instance
                 */
                Failure.prototype.source = "";

                /**
                 * Creates a new Failure instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.Failure
                 * @static
                 * @param {turbotls.control.v1.Failure.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.Failure} Failure instance
                 * @type {{
                 *   (properties: turbotls.control.v1.Failure.$Shape): turbotls.control.v1.Failure & turbotls.control.v1.Failure.$Shape;
                 *   (properties?: turbotls.control.v1.Failure.$Properties): turbotls.control.v1.Failure;
                 * }}
                 */
                Failure.create = function(properties) {
                    return new Failure(properties);
                };

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link turbotls.control.v1.Failure.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.Failure
                 * @static
                 * @param {turbotls.control.v1.Failure.$Properties} message Failure message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Failure.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.code);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.cause != null && $Object.hasOwnProperty.call(message, "cause"))
                        $root.turbotls.control.v1.Failure.encode(message.cause, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.problems != null && message.problems.length)
                        for (let i = 0; i < message.problems.length; ++i)
                            $root.turbotls.control.v1.Problem.encode(message.problems[i], writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.source != null && $Object.hasOwnProperty.call(message, "source") && message.source !== "")
                        writer.uint32(/* id 5, wireType 2 =*/42).string(message.source);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.Failure
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Failure & turbotls.control.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Failure.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.Failure();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.cause = $root.turbotls.control.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.cause);
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.problems && message.problems.length))
                                    message.problems = [];
                                message.problems.push($root.turbotls.control.v1.Problem.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.source = value;
                                else
                                    delete message.source;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Failure;
            })();

            v1.Problem = (function() {

                /**
                 * Properties of a Problem.
                 * @typedef {Object} turbotls.control.v1.Problem.$Properties
                 * @property {string|null} [path] Problem path
                 * @property {string|null} [message] Problem message
                 * @property {number|null} [line] Problem line
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Problem.
                 * @memberof turbotls.control.v1
                 * @interface IProblem
                 * @augments turbotls.control.v1.Problem.$Properties
                 * @deprecated Use turbotls.control.v1.Problem.$Properties instead.
                 */

                /**
                 * Shape of a Problem.
                 * @typedef {turbotls.control.v1.Problem.$Properties} turbotls.control.v1.Problem.$Shape
                 */

                /**
                 * Constructs a new Problem.
                 * @memberof turbotls.control.v1
                 * @classdesc Represents a Problem.
                 * @constructor
                 * @param {turbotls.control.v1.Problem.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Problem = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Problem path.
                 * @member {string} path
                 * @memberof turbotls.control.v1.Problem
                 * @instance
                 */
                Problem.prototype.path = "";

                /**
                 * Problem message.
                 * @member {string} message
                 * @memberof turbotls.control.v1.Problem
                 * @instance
                 */
                Problem.prototype.message = "";

                /**
                 * Problem line.
                 * @member {number} line
                 * @memberof turbotls.control.v1.Problem
                 * @instance
                 */
                Problem.prototype.line = 0;

                /**
                 * Creates a new Problem instance using the specified properties.
                 * @function create
                 * @memberof turbotls.control.v1.Problem
                 * @static
                 * @param {turbotls.control.v1.Problem.$Properties=} [properties] Properties to set
                 * @returns {turbotls.control.v1.Problem} Problem instance
                 * @type {{
                 *   (properties: turbotls.control.v1.Problem.$Shape): turbotls.control.v1.Problem & turbotls.control.v1.Problem.$Shape;
                 *   (properties?: turbotls.control.v1.Problem.$Properties): turbotls.control.v1.Problem;
                 * }}
                 */
                Problem.create = function(properties) {
                    return new Problem(properties);
                };

                /**
                 * Encodes the specified Problem message. Does not implicitly {@link turbotls.control.v1.Problem.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.control.v1.Problem
                 * @static
                 * @param {turbotls.control.v1.Problem.$Properties} message Problem message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Problem.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.path != null && $Object.hasOwnProperty.call(message, "path") && message.path !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.path);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.line != null && $Object.hasOwnProperty.call(message, "line") && message.line !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.line);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Problem message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.control.v1.Problem
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.control.v1.Problem & turbotls.control.v1.Problem.$Shape} Problem
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Problem.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.control.v1.Problem();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.path = value;
                                else
                                    delete message.path;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.line = value;
                                else
                                    delete message.line;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Problem;
            })();

            return v1;
        })();

        return control;
    })();

    return turbotls;
})();

export {
  $root as default
};
